"""Random shapes, as a numpy generator draws them: valid, on a grid of `size` steps, so that touching is common."""
import numpy as np
from shapely import GeometryCollection, LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon, box


class Shapes:
    def __init__(self, rng):
        self.rng = rng

    def point(self, size):
        return self.rng.integers(0, size + 1, 2).astype(float)

    def hull(self, size, count):
        return MultiPoint([self.point(size) for _ in range(count)]).convex_hull

    def polygon(self, size):
        for _ in range(60):
            shape = self.hull(size, 6) if self.rng.random() < 0.5 else Polygon([self.point(size) for _ in range(self.rng.integers(3, 8))])
            hole = self.hull(size, 4)
            if self.rng.random() < 0.5 and shape.geom_type == hole.geom_type == "Polygon":
                shape = Polygon(shape.exterior.coords, [hole.exterior.coords])
            if shape.geom_type == "Polygon" and shape.is_valid and shape.area > 0:
                return shape
        return self.rectangle(size)

    def rectangle(self, size):
        (x0, x1), (y0, y1) = (np.sort(self.rng.choice(size + 1, 2, replace=False)) for _ in "xy")
        return box(x0, y0, x1, y1, ccw=bool(self.rng.integers(2)))

    def line(self, size):
        shape = LineString([self.point(size) for _ in range(self.rng.integers(2, 6))])
        return shape if shape.is_valid else self.line(size)

    def multipolygon(self, size):
        for _ in range(30):
            shape = MultiPolygon([self.polygon(size) for _ in range(2)])
            if shape.is_valid:
                return shape
        return self.polygon(size)

    def geometry(self, size, collections=True):
        kind = self.rng.integers(0, 10 if collections else 9)
        if kind == 0:
            return Point(self.point(size))
        if kind <= 2:
            return self.line(size)
        if kind <= 4:
            return self.polygon(size)
        if kind == 5:
            return self.rectangle(size)
        if kind == 6:
            return MultiPoint([self.point(size) for _ in range(self.rng.integers(1, 5))])
        if kind == 7:
            return MultiLineString([self.line(size) for _ in range(self.rng.integers(1, 4))])
        if kind == 8:
            return self.multipolygon(size)
        return GeometryCollection([self.geometry(size, False) for _ in range(self.rng.integers(0, 4))])
