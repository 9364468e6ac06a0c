"""Pages of clients and appeals."""
