"""Jewellery photographs in, clean datasets, cut-outs and design clusters out."""
