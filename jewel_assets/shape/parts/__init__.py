"""The parts that pieces are made of: swept wires and bands, settings, surface ornament, findings. Millimetres."""
