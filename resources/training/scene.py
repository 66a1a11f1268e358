"""The picture world: prompts, their ground-truth pictures, and an endless generator of training pairs.

Pictures are 32x32 RGB in [0,1]; shapes are drawn by signed distance with one pixel of analytic antialiasing.
"""
import numpy as np

SIZE = 32
SHAPES = ["circle", "square", "triangle"]
COLORS = ["red", "green", "blue", "yellow"]
BACKGROUNDS = ["black", "white", "gray", "green"]
RELATIONS = ["above", "below", "left of", "right of"]
RGB = {"red": (225, 40, 40), "green": (40, 165, 70), "blue": (45, 85, 230), "yellow": (245, 215, 45),
       "black": (16, 16, 20), "white": (242, 242, 242), "gray": (128, 128, 128)}
# (first centre, second centre) in pixels, y down, for each relation; a single object stands in the middle.
LAYOUT = {"above": ((16, 8.5), (16, 23.5)), "below": ((16, 23.5), (16, 8.5)),
          "left of": ((8.5, 16), (23.5, 16)), "right of": ((23.5, 16), (8.5, 16))}
RADIUS_PAIR, RADIUS_SINGLE = 5.3, 8.0   # radius of the circle; the other shapes have about the same area
JITTER, SIZE_JITTER = 1.0, 0.08

_YY, _XX = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32) + 0.5


def prompt_of(scene):
    """scene = dict(bg, objects=[(color, shape), ...], relation or None)."""
    o = scene["objects"]
    if len(o) == 1:
        return f"a {o[0][0]} {o[0][1]} on a {scene['bg']} background"
    return f"a {o[0][0]} {o[0][1]} {scene['relation']} a {o[1][0]} {o[1][1]} on a {scene['bg']} background"


def random_scene(rng, single=0.2):
    bg = BACKGROUNDS[rng.integers(4)]
    allowed = [c for c in COLORS if c != bg]
    objects = [(allowed[rng.integers(len(allowed))], SHAPES[rng.integers(3)]) for _ in range(2)]
    if rng.random() < single:
        return {"bg": bg, "objects": objects[:1], "relation": None}
    return {"bg": bg, "objects": objects, "relation": RELATIONS[rng.integers(4)]}


def coverage(shape, cx, cy, r):
    """Antialiased mask: clip(0.5 - signed distance, 0, 1)."""
    x, y = _XX - cx, _YY - cy
    if shape == "circle":
        d = np.hypot(x, y) - r
    elif shape == "square":
        h = 0.92 * r
        d = np.maximum(np.abs(x), np.abs(y)) - h
    else:                                     # upright triangle: base 2b, height 1.9 b, centred by its box
        b = 1.15 * r
        h = 0.95 * b                          # half height
        slope = np.array([2 * h, b]) / np.hypot(2 * h, b)
        d = np.maximum(slope[0] * np.abs(x) - slope[1] * (y + h), y - h)
    return np.clip(0.5 - d, 0, 1)


def render(scene, rng=None, masks=None):
    """The picture, float32 (3,32,32) in [0,1]; without rng the ideal one without jitter."""
    img = np.empty((3, SIZE, SIZE), np.float32)
    img[:] = (np.array(RGB[scene["bg"]], np.float32) / 255)[:, None, None]
    n = len(scene["objects"])
    centres = ((16, 16),) if n == 1 else LAYOUT[scene["relation"]]
    for (color, shape), (cx, cy) in zip(scene["objects"], centres):
        r = RADIUS_SINGLE if n == 1 else RADIUS_PAIR
        if rng is not None:
            cx, cy = cx + rng.uniform(-JITTER, JITTER), cy + rng.uniform(-JITTER, JITTER)
            r *= 1 + rng.uniform(-SIZE_JITTER, SIZE_JITTER)
        a = coverage(shape, cx, cy, r)
        if masks is not None:
            masks.append(a)
        img += a * ((np.array(RGB[color], np.float32) / 255)[:, None, None] - img)
    return img


def all_scenes():
    for bg in BACKGROUNDS:
        allowed = [c for c in COLORS if c != bg]
        for c1 in allowed:
            for s1 in SHAPES:
                yield {"bg": bg, "objects": [(c1, s1)], "relation": None}
                for c2 in allowed:
                    for s2 in SHAPES:
                        for rel in RELATIONS:
                            yield {"bg": bg, "objects": [(c1, s1), (c2, s2)], "relation": rel}


def dataset(n, seed=1, single=0.2):
    """n jittered pictures (uint8, n,3,32,32), their prompts and ownership maps (uint8, n,16,16): which pixel pair
    belongs to the background (0), the first (1) or the second object (2)."""
    rng = np.random.default_rng(seed)
    out, owner, prompts = np.empty((n, 3, SIZE, SIZE), np.uint8), np.zeros((n, 16, 16), np.uint8), []
    for i in range(n):
        s = random_scene(rng, single)
        masks = []
        out[i] = np.round(render(s, rng, masks) * 255)
        for k, a in enumerate(masks):
            owner[i][a.reshape(16, 2, 16, 2).mean((1, 3)) > 0.4] = k + 1
        prompts.append(prompt_of(s))
    return out, prompts, owner
