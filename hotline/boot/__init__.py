"""From a fresh clone to a running demo: environment, embedded servers, processes.

Nothing here is imported by the product.
"""
