"""What operators do, by the console or by the command line: who they are, their actions, and the
record of these actions."""
