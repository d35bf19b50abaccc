"""A client of ``onepass serve``, and its twin for asyncio; it needs the extra ``client``."""

from onepass.errors import MissingExtra

try:
    from onepass.client.async_client import AsyncClient
    from onepass.client.client import Client
    from onepass.client.wire import ModelInfo
except ModuleNotFoundError as error:
    if error.name != "httpx":
        raise
    raise MissingExtra("The client", "client") from error

__all__ = ["AsyncClient", "Client", "ModelInfo"]
