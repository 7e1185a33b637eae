"""What is measured: one row of the table each, as both sides read it.

`kind` says what a step is; `study` is the text under `studies/` that our side reads, with `params` for its `param`s. A unit
of `steps` steps is timed as a whole, so that a penalty at every fourth step counts as it should. `images` is what a step
shows to the discriminator, trains on, generates or scores.
"""


def gan(pair, resolution, channels, batch, wgan=True, base=None, note="", labels=14, every=4):
    params = {"resolution": resolution, "channels": channels, "batch": batch}
    widths = f"width {channels}"
    if base:
        params["base"] = base
        widths = "widths " + "-".join(str(min(base // 2**stage, channels)) for stage in range(1, resolution.bit_length() - 1))
    if pair != "compact":
        params["wgan"] = wgan
    penalty = "WGAN-GP" if wgan else f"R1 every {every}th"
    name = {"cpd": "cpD-GAN", "progressive": "prog-GAN", "compact": "compact pair"}[pair]
    return {
        "group": "training step of a GAN", "name": f"{name} {resolution}×{resolution}, {note or widths}, batch {batch}, {penalty}",
        "kind": "gan", "study": pair, "params": params, "labels": labels, "steps": 1 if wgan else every, "every": every,
        "images": batch,
    }


def conv(kernel, channels, outputs, batch, side):
    return {
        "group": "single layer, forward and backward", "kind": "convolution",
        "name": f"conv {kernel}×{kernel} {channels}→{outputs}, {batch}×{side}×{side}",
        "sizes": [batch, channels, side, outputs, kernel], "steps": 1, "images": batch,
    }


def densenet(kind, resolution, batch):
    what = {"classifier": "training step of DenseNet-121", "scores": "scoring by DenseNet-121"}[kind]
    return {
        "group": what, "name": f"{what}, {resolution}×{resolution}, batch {batch}", "kind": kind, "study": "densenet",
        "params": {"resolution": resolution, "batch": batch}, "labels": 14, "steps": 1, "images": batch,
    }


def sample(pair, resolution, channels, base=None):
    row = gan(pair, resolution, channels, 32, base=base)
    name = row["name"].split(", batch")[0]
    return row | {"group": "sampling", "name": f"sampling: {name}, 64 images", "kind": "sample", "images": 64}


QUICKSTART = gan("compact", 32, 32, 16, wgan=False, note="as in the quickstart", labels=4, every=8)

ROWS = [
    gan("cpd", 32, 32, 32),
    gan("cpd", 32, 32, 32, wgan=False),
    gan("cpd", 32, 64, 32, base=256),
    QUICKSTART,
    *(
        gan(pair, resolution, channels, batch, wgan)
        for resolution, channels in [(32, 64), (64, 128), (32, 512)]
        for pair in ["cpd", "progressive"]
        for batch in [32, 64]
        for wgan in [True, False]
    ),
    densenet("classifier", 64, 16),
    densenet("classifier", 224, 16),
    sample("compact", 32, 32) | {"labels": 4, "name": "sampling: the quickstart's generator, 64 images"},
    sample("cpd", 32, 64),
    sample("cpd", 64, 128),
    sample("cpd", 32, 512),
    sample("progressive", 32, 512),
    densenet("scores", 64, 64),
    densenet("scores", 224, 16),
    conv(3, 64, 64, 16, 64),
    conv(3, 128, 128, 16, 32),
    conv(3, 256, 256, 16, 16),
    conv(3, 512, 512, 16, 8),
    conv(3, 128, 32, 32, 32),
    conv(1, 256, 128, 32, 16),
    conv(3, 64, 64, 32, 4),
    conv(3, 64, 64, 32, 8),
    conv(1, 64, 64, 32, 8),
    conv(1, 32, 64, 32, 16),
    conv(1, 1, 64, 32, 32),
    conv(1, 64, 1, 32, 32),
    {
        "group": "optimiser", "name": "Adam on 21.5 M parameters", "kind": "adam", "study": "cpd", "average": False,
        "params": {"resolution": 32, "channels": 512, "batch": 32}, "labels": 14, "steps": 1, "images": 0,
    },
    {
        "group": "optimiser", "name": "Adam on 21.5 M parameters, with a running average", "kind": "adam", "study": "cpd",
        "average": True, "params": {"resolution": 32, "channels": 512, "batch": 32}, "labels": 14, "steps": 1, "images": 0,
    },
]
