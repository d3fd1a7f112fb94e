"""Compare the engine with Apache FreeMarker itself, on templates made at random: `make oracle`."""
