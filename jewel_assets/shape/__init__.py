"""Parametric jewellery: designs, solids, castability, files, renders. What others use is exported here."""
