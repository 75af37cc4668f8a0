"""Why a foreign model cannot be used: a short reason that can be counted, and a sentence that says what to do."""

from jewel_assets.errors import Permanent


class Unusable(Permanent):
    """A model that cannot, or must not, be read. `reason` is short and the same for all that fail alike."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
