"""How compiled loops over blocks of rows are written: vectors, products, the driver, the cache. No family."""
