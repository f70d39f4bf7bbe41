"""The model that answers in this process: chosen when it is wired, and the same until it ends."""

from __future__ import annotations

from bot.models.folder import ModelFolder
from handlers.ports import ModelInUse
from knowledge.assessment import ModelVersion
from knowledge.model import Model, SiteModelError, load


def model_in_use(folder: ModelFolder) -> ModelInUse:
    """How to get the model in use; the pointer is read now, once, and the model when it is first wanted.

    Whoever runs ``tarla model use`` later changes nothing for this process: a model never changes between two
    answers of one run.
    """
    try:
        version = folder.pointer()
    except SiteModelError as error:
        return _refusing(str(error))
    return load if version is None else _SiteModel(folder, version)


class _SiteModel:
    """A site's model, read once it can be; until then each call tries again and says why not."""

    def __init__(self, folder: ModelFolder, version: ModelVersion) -> None:
        self._folder, self._version = folder, version
        self._model: Model | None = None

    def __call__(self) -> Model:
        if self._model is None:
            self._model = self._folder.in_use(self._version)
        return self._model


def _refusing(reason: str) -> ModelInUse:
    def refuse() -> Model:
        raise SiteModelError(reason)

    return refuse
