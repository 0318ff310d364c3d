"""The outside worlds of the demo and the tests, as processes of their own; nothing here is
imported by the product.
"""
