"""Fidelity checker: what does a 32x32 picture show, and is it what the prompt asks?  The rule is in FIDELITY.md."""
import re

import cv2
import numpy as np

from scene import BACKGROUNDS, COLORS, RELATIONS, RGB, SHAPES

NAMES = ["red", "green", "blue", "yellow", "black", "white", "gray"]
PALETTE = np.array([RGB[n] for n in NAMES], np.float32)
UP = 4                      # enlargement before segmentation
MIN_AREA = 20               # pixels of the 32x32 picture; smaller components are not objects
FOREGROUND = 60             # distance in RGB (0..255) from the background
MAX_SPECK = 8               # pixels; a component of this size or more that is not an object is a fault
PROMPT = re.compile(r"^a (\w+) (\w+)(?: (above|below|left of|right of) a (\w+) (\w+))? on a (\w+) background$")


def parse(prompt):
    """The scene a prompt asks for, or None if it is not of the grammar."""
    m = PROMPT.match(" ".join(prompt.lower().split()))
    if not m:
        return None
    c1, s1, rel, c2, s2, bg = m.groups()
    objects = [(c1, s1)] + ([(c2, s2)] if rel else [])
    if bg not in BACKGROUNDS or any(c not in COLORS or c == bg or s not in SHAPES for c, s in objects):
        return None
    return {"bg": bg, "objects": objects, "relation": rel}


def nearest(pixels):
    return ((pixels[..., None, :].astype(np.float32) - PALETTE) ** 2).sum(-1).argmin(-1)


def shape_of(mask):
    """'circle', 'square', 'triangle' or None for a filled component (8-bit mask of the enlarged picture)."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    contour = max(contours, key=cv2.contourArea)
    hull = cv2.convexHull(contour)
    area, hull_area = cv2.contourArea(contour), cv2.contourArea(hull)
    if hull_area <= 0 or area / hull_area < 0.88:
        return None
    x, y, w, h = cv2.boundingRect(hull)
    if not 0.72 <= w / h <= 1.39:
        return None
    _, radius = cv2.minEnclosingCircle(hull)
    box = hull_area / ((w - 1) * (h - 1))               # square 1, circle pi/4, triangle 1/2
    disc = hull_area / (np.pi * radius * radius)        # circle 1, square 2/pi, triangle about 0.40
    if box < 0.64 and disc < 0.56:
        return "triangle"
    if box > 0.87 and disc < 0.82:
        return "square"
    if 0.70 <= box <= 0.90 and disc >= 0.80:
        return "circle"
    return None


def analyse(rgb):
    """rgb: uint8 (32,32,3).  Returns dict(bg, objects=[(color, shape, x, y, area)]) or dict(fault=text)."""
    rgb = np.ascontiguousarray(rgb)
    border = np.concatenate([rgb[0], rgb[-1], rgb[1:-1, 0], rgb[1:-1, -1]])
    labels = nearest(border)
    counts = np.bincount(labels, minlength=len(NAMES))
    bg = int(counts.argmax())
    if counts[bg] < 0.9 * len(border):
        return {"fault": "border is not of one colour"}
    bg_rgb = np.median(border, 0).astype(np.float32)
    big = cv2.resize(rgb, None, fx=UP, fy=UP, interpolation=cv2.INTER_LINEAR).astype(np.float32)
    objects = []
    # 1. components of everything that differs from the background
    fg = (np.sqrt(((big - bg_rgb) ** 2).sum(-1)) > FOREGROUND).astype(np.uint8)
    n, lab, stats, _ = cv2.connectedComponentsWithStats(fg, connectivity=4)
    for i in range(1, n):
        area = stats[i, cv2.CC_STAT_AREA] / UP ** 2
        if area < MIN_AREA:
            if area >= MAX_SPECK:
                return {"fault": "speck"}
            continue
        part = (lab == i).astype(np.uint8)
        core = cv2.erode(part, np.ones((2 * UP + 1, 2 * UP + 1), np.uint8))
        if not core.any():
            return {"fault": "thin component"}
        color_rgb = np.median(big[core > 0], 0)
        color = int(nearest(color_rgb))
        if NAMES[color] not in COLORS or color == bg:
            return {"fault": f"object of colour {NAMES[color]}"}
        if np.sqrt(((color_rgb - PALETTE[color]) ** 2).sum()) > 70:
            return {"fault": "washed-out colour"}
        if (nearest(big[core > 0]) == color).mean() < 0.9:
            return {"fault": "object of mixed colour"}
        # 2. the outline: half of the way from the background to the object's colour
        axis = color_rgb - bg_rgb
        level = ((big - bg_rgb) @ axis) / (axis @ axis)
        mask = ((level > 0.5) & (part > 0)).astype(np.uint8)
        m, l2, s2, cen = cv2.connectedComponentsWithStats(mask, connectivity=4)
        k = 1 + int(s2[1:, cv2.CC_STAT_AREA].argmax())
        shape = shape_of((l2 == k).astype(np.uint8))
        if shape is None:
            return {"fault": "unclear shape"}
        objects.append((NAMES[color], shape, (cen[k][0] + 0.5) / UP, (cen[k][1] + 0.5) / UP,
                        s2[k, cv2.CC_STAT_AREA] / UP ** 2))
    return {"bg": NAMES[bg], "objects": objects}


def relation_holds(rel, a, b):
    dx, dy = a[2] - b[2], a[3] - b[3]
    along = {"above": -dy, "below": dy, "left of": -dx, "right of": dx}[rel]
    across = abs(dx) if rel in ("above", "below") else abs(dy)
    return along >= 6 and across <= 0.5 * along


def faithful(rgb, scene):
    """True if the picture shows exactly the scene (a prompt or parse()'s answer)."""
    return verdict(rgb, scene) == "ok"


def verdict(rgb, scene):
    scene = parse(scene) if isinstance(scene, str) else scene
    seen = analyse(rgb)
    if "fault" in seen:
        return seen["fault"]
    if seen["bg"] != scene["bg"]:
        return f"background {seen['bg']}"
    want, got = scene["objects"], seen["objects"]
    if len(got) != len(want):
        return f"{len(got)} objects"
    if len(want) == 1:
        if got[0][:2] != want[0]:
            return f"a {got[0][0]} {got[0][1]}"
        return "ok" if abs(got[0][2] - 16) <= 5 and abs(got[0][3] - 16) <= 5 else "not centred"
    for a, b in ((got[0], got[1]), (got[1], got[0])):
        if a[:2] == want[0] and b[:2] == want[1] and relation_holds(scene["relation"], a, b):
            return "ok"
    if sorted(g[:2] for g in got) == sorted(want):
        return "relation"
    return "objects " + ", ".join(f"{g[0]} {g[1]}" for g in got)


def to_uint8(img):
    """(3,32,32) in [0,1] -> uint8 (32,32,3)."""
    return np.clip(np.round(img.transpose(1, 2, 0) * 255), 0, 255).astype(np.uint8)


def self_test(n=3000, seed=7):
    """Every jittered true picture must pass, every single change of the prompt must fail."""
    from collections import Counter
    from scene import prompt_of, random_scene, render
    rng = np.random.default_rng(seed)
    ok, faults, lenient, tried = 0, Counter(), Counter(), 0
    for _ in range(n):
        s = random_scene(rng)
        img = to_uint8(render(s, rng))
        assert parse(prompt_of(s)) == s
        v = verdict(img, prompt_of(s))
        ok += v == "ok"
        faults[v] += 1
        wrong = []
        for i, (c, sh) in enumerate(s["objects"]):
            for c2 in COLORS:
                if c2 not in (c, s["bg"]):
                    wrong.append(("color", dict(s, objects=[(c2, sh) if j == i else o for j, o in enumerate(s["objects"])])))
            for s2 in SHAPES:
                if s2 != sh:
                    wrong.append(("shape", dict(s, objects=[(c, s2) if j == i else o for j, o in enumerate(s["objects"])])))
        for bg in BACKGROUNDS:
            if bg != s["bg"] and all(o[0] != bg for o in s["objects"]):
                wrong.append(("background", dict(s, bg=bg)))
        for rel in RELATIONS if s["relation"] else ():
            if rel != s["relation"]:
                same = s["objects"][0] == s["objects"][1] and {rel, s["relation"]} in (
                    {"above", "below"}, {"left of", "right of"})
                if not same:
                    wrong.append(("relation", dict(s, relation=rel)))
        for kind, w in wrong:
            tried += 1
            lenient[kind] += verdict(img, w) == "ok"
    return {"pass": ok / n, "verdicts": dict(faults), "wrong prompts tried": tried, "wrong prompts passed": dict(lenient)}


if __name__ == "__main__":
    print(self_test())
