"""Tables as they come: text in any usual layout, Parquet and Arrow, read and written."""
