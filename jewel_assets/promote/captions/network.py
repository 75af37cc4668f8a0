"""Alternative texts by a captioning network from a local folder (BLIP, GIT and their like). Nothing is downloaded.

The network only ever adds an alternative text: captions are made of phrases, which claim nothing. What it writes is
English; a sentence that claims what a picture cannot show ("a diamond ring") is replaced by that of the phrases.
"""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from jewel_assets.errors import Permanent
from jewel_assets.images import Pixels, fit
from jewel_assets.promote.captions.caption import Known
from jewel_assets.promote.captions.describe import ALT_CHARACTERS, Description, PhraseDescriber, claims_in

_SIDE = 768  # pixels: such networks look at 224 to 480
_NEW_TOKENS = 40


@dataclass(frozen=True)
class NetworkDescriber:
    """A network that `transformers` loads from `folder`: config.json, *.safetensors, tokenizer and preprocessor.

    `phrases` writes where the network may not: in other languages than English, and instead of a claim.
    """

    folder: Path
    phrases: PhraseDescriber = field(default_factory=PhraseDescriber)

    def describe(self, image: Pixels, known: Known, language: str) -> Description:
        """The network's sentence about an image, (h, w, 3) uint8, else that of the phrases; the engine says which.

        Raises `Permanent` where `transformers` or the weights are missing or do not load.
        """
        if language != "en":
            return self._instead(image, known, language, "writes English alone")
        text = self._caption(image)
        if claims := claims_in(text):
            return self._instead(image, known, language, f"claimed {claims[0].lower()!r}")
        if not any(letter.isalpha() for letter in text):
            return self._instead(image, known, language, "wrote nothing")
        return Description(text[:1].upper() + text[1:].rstrip(".") + ".", self.engine)

    @cached_property
    def engine(self) -> str:
        """The folder's name and the start of the SHA-256 of its weights, which say what wrote a text.

        Raises `Permanent` where there is no network in the folder.
        """
        self._check()
        digest = hashlib.sha256()
        for file in sorted(self.folder.glob("*.safetensors")):
            with file.open("rb") as stream:
                while block := stream.read(1 << 20):
                    digest.update(block)
        return f"{self.folder.name} {digest.hexdigest()[:12]}"

    def _instead(self, image: Pixels, known: Known, language: str, why: str) -> Description:
        told = self.phrases.describe(image, known, language)
        return Description(told.text, f"{told.engine} (the network {self.folder.name} {why})")

    def _caption(self, image: Pixels) -> str:
        processor, model = self._loaded
        import torch  # where `transformers` has loaded a model, it is there

        inputs = processor(images=fit(image, _SIDE), return_tensors="pt")
        with torch.inference_mode():
            tokens = model.generate(**inputs, max_new_tokens=_NEW_TOKENS, do_sample=False, num_beams=1)
        text = processor.batch_decode(tokens, skip_special_tokens=True)[0]
        return " ".join(str(text).split())[: ALT_CHARACTERS - 1]

    def _check(self) -> None:
        if not (self.folder / "config.json").is_file() or not list(self.folder.glob("*.safetensors")):
            raise Permanent(
                f"The folder {str(self.folder)!r} has no captioning network: config.json and *.safetensors are "
                "expected, as `hf download Salesforce/blip-image-captioning-base --local-dir ...` writes them."
            )

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        self._check()
        try:
            from transformers import (  # type: ignore[import-not-found, unused-ignore]
                AutoModelForImageTextToText,
                AutoProcessor,
            )
        except ImportError as error:
            raise Permanent(
                f"Captions by a network need the extra `ml` ({error}): run `pip install 'jewel-assets[ml]'`, or let "
                "the phrases write."
            ) from None
        # Safetensors hold numbers alone: a folder from elsewhere can run no code here.
        local = {"local_files_only": True, "trust_remote_code": False}
        try:
            processor = AutoProcessor.from_pretrained(self.folder, **local)  # type: ignore[no-untyped-call, unused-ignore]
            loaded: Any = AutoModelForImageTextToText.from_pretrained(
                self.folder, use_safetensors=True, output_loading_info=True, **local
            )
            model, told = loaded
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            why = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            raise Permanent(f"The captioning network in {str(self.folder)!r} does not load: {why}") from None
        if missing := sorted(told["missing_keys"]):  # `transformers` would go on with random numbers in their place
            raise Permanent(
                f"The captioning network in {str(self.folder)!r} does not load: {len(missing)} of its weights are "
                f"missing ({missing[0]} ...): fetch it again."
            )
        return processor, model.eval()
