"""Operators of the console and the command line: who they are, what they do, and its audit."""
