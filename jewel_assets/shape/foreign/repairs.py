"""The names of what a foreign mesh can have needed."""

REPAIRS = (
    "none needed",
    "faces turned",
    "doubles removed",
    "welded",
    "parted",
    "holes filled",
    "rebuilt",
    "not repaired",
)
"""The mildest first. A row names the strongest, and lists all.

"faces turned": some looked inward; "doubles removed": triangles were there twice; "welded": open edges that nearly met
were sewn; "parted": edges at which more than two faces met were split; "holes filled": rims got new triangles;
"rebuilt": tangled places were cut out and closed anew; "not repaired": it is still open, whatever was done.
"""
