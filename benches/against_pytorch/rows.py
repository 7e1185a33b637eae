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


PASSES = ["forward", "input", "weight"]


def conv(batch, channels, side, filters, kernel, stride=1, padding=None, groups=1, passes=PASSES):
    kernel = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    padding = [size // 2 for size in kernel] if padding is None else [padding, padding]
    name = f"conv {kernel[0]}×{kernel[1]} {channels}→{filters}, {batch}×{side}×{side}"
    name += f", stride {stride}" * (stride > 1) + f", {groups} groups" * (groups > 1)
    if passes != PASSES:
        name += ": " + ", ".join(passes)
    return {
        "group": "single layer, forward and backward", "kind": "convolution", "name": name, "steps": 1, "images": 0,
        "layer": {
            "batch": batch, "channels": channels, "side": side, "filters": filters, "kernel": kernel, "stride": stride,
            "padding": padding, "groups": groups, "passes": passes,
        },
    }


def classifier(kind, study, resolution, batch):
    group = {"classifier": "training step of a classifier", "scores": "scoring"}[kind]
    network = {"densenet": "DenseNet-121", "inception": "Inception-v3"}[study]
    return {
        "group": group, "name": f"{'training' if kind == 'classifier' else 'scoring by'} {network}, {resolution}×{resolution}, batch {batch}",
        "kind": kind, "study": study, "params": {"resolution": resolution, "batch": batch}, "labels": 14, "steps": 1, "images": batch,
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
        if wgan or (batch == 32 and channels < 512)
    ),
    classifier("classifier", "densenet", 64, 16),
    classifier("classifier", "densenet", 224, 16),
    sample("compact", 32, 32) | {"labels": 4, "name": "sampling: the quickstart's generator, 64 images"},
    sample("cpd", 32, 64),
    sample("cpd", 64, 128),
    sample("cpd", 32, 512),
    sample("progressive", 32, 512),
    classifier("scores", "densenet", 64, 64),
    classifier("scores", "densenet", 224, 16),
    classifier("scores", "inception", 64, 16),
    conv(16, 64, 64, 64, 3),
    conv(16, 128, 32, 128, 3),
    conv(16, 256, 16, 256, 3),
    conv(16, 512, 8, 512, 3),
    conv(32, 128, 32, 32, 3),
    conv(32, 256, 16, 128, 1),
    conv(32, 64, 4, 64, 3),
    conv(32, 64, 8, 64, 3),
    conv(32, 64, 8, 64, 1),
    conv(32, 32, 16, 64, 1),
    conv(32, 1, 32, 64, 1),
    conv(32, 64, 32, 1, 1),
    {
        "group": "optimiser", "name": "Adam on 21.5 M parameters", "kind": "adam", "study": "cpd", "average": False,
        "params": {"resolution": 32, "channels": 512, "batch": 32}, "labels": 14, "steps": 1, "images": 0,
    },
    {
        "group": "optimiser", "name": "Adam on 21.5 M parameters, with a running average", "kind": "adam", "study": "cpd",
        "average": True, "params": {"resolution": 32, "channels": 512, "batch": 32}, "labels": 14, "steps": 1, "images": 0,
    },
]

# Convolutions of many networks, each pass by itself: images, channels, height (and width), filters, kernel; then stride, padding
# and groups where they are not 1, half the kernel, and 1.
LAYERS = [
    # small networks for images of 32 pixels
    (32, 64, 4, 64, 3), (16, 64, 4, 64, 3), (32, 65, 4, 64, 3), (32, 64, 8, 64, 3), (16, 64, 8, 64, 3),
    (32, 64, 16, 32, 3), (32, 32, 16, 32, 3), (32, 64, 16, 64, 3),
    (32, 32, 32, 16, 3), (32, 16, 32, 16, 3), (32, 16, 32, 32, 3), (32, 1, 32, 16, 3),
    (32, 1, 32, 16, 1), (32, 16, 32, 1, 1), (32, 16, 32, 32, 1), (32, 32, 32, 16, 1),
    (32, 64, 16, 32, 1), (32, 32, 16, 64, 1), (32, 64, 8, 64, 1), (32, 64, 4, 64, 1), (32, 1, 4, 64, 1),
    (32, 48, 16, 32, 1), (32, 32, 16, 8, 3), (32, 32, 8, 8, 3), (32, 32, 4, 8, 3), (32, 16, 8, 32, 1), (32, 24, 4, 32, 1),
    # wide ones
    (16, 64, 64, 64, 3), (16, 128, 32, 128, 3), (16, 256, 16, 256, 3), (16, 512, 8, 512, 3), (32, 256, 8, 256, 3),
    (32, 512, 4, 512, 3), (64, 512, 4, 512, 3), (16, 256, 4, 256, 3), (32, 128, 32, 32, 3), (32, 256, 16, 128, 1),
    # DenseNet-121 and ResNet-18 at 224 pixels
    (1, 3, 224, 64, 7, 2), (16, 3, 224, 64, 7, 2), (1, 64, 56, 128, 1), (16, 128, 56, 32, 3), (1, 128, 28, 32, 3),
    (1, 512, 14, 128, 1), (16, 128, 14, 32, 3), (1, 1024, 7, 128, 1), (16, 128, 7, 32, 3), (1, 128, 7, 32, 3),
    (1, 64, 56, 64, 3), (16, 64, 56, 128, 3, 2), (1, 64, 56, 128, 3, 2), (16, 64, 56, 128, 1, 2), (1, 256, 14, 512, 3, 2),
    (1, 512, 7, 512, 3),
    # Inception-v3 at 299 pixels
    (1, 3, 299, 32, 3, 2, 0), (16, 32, 149, 32, 3, 1, 0), (1, 80, 73, 192, 3, 1, 0), (16, 192, 35, 64, 1), (1, 48, 35, 64, 5),
    (16, 96, 35, 96, 3, 2, 0), (1, 768, 17, 192, 1), (1, 160, 17, 160, (1, 7)), (1, 160, 17, 160, (7, 1)),
    (16, 192, 17, 192, (1, 7)), (16, 192, 17, 192, (7, 1)), (1, 384, 8, 384, (1, 3)), (16, 384, 8, 384, (3, 1)),
    (1, 2048, 8, 320, 1), (16, 448, 8, 384, 3), (16, 192, 17, 320, 3, 2, 0),
    # depthwise and in groups
    (16, 64, 32, 64, 3, 1, 1, 64), (16, 64, 32, 64, 3, 2, 1, 64), (16, 128, 16, 128, 3, 1, 1, 4),
]
