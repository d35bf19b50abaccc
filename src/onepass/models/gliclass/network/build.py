"""From a configuration to the network of its architecture: the one place that knows all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from onepass.models.gliclass.config import GliclassConfig
from onepass.models.gliclass.network.bi_encoder import BiEncoder, FusedBiEncoder
from onepass.models.gliclass.network.decoder import Decoder
from onepass.models.gliclass.network.encoder_decoder import EncoderDecoder, TextDecoder
from onepass.models.gliclass.network.network import Encoders, GliclassNetwork, UniEncoder

ARCHITECTURES: Mapping[str, Callable[[GliclassConfig, Encoders], GliclassNetwork]] = {
    "uni-encoder": UniEncoder,
    "bi-encoder": BiEncoder,
    "bi-encoder-fused": FusedBiEncoder,
    "encoder-decoder": EncoderDecoder,
    "encoder-decoder-cls": TextDecoder,
    "decoder-kv": Decoder,
}


def build_network(config: GliclassConfig, encoders: Encoders) -> GliclassNetwork:
    """Return the network of a checkpoint, with random weights.

    Args:
        config: of the checkpoint.
        encoders: that it is built of.

    Raises:
        CheckpointError: for a part that is not supported.
    """
    return ARCHITECTURES[config.architecture](config, encoders)
