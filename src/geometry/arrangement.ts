import { type Linework, sideOf } from "./linework.ts";
import { Nodes } from "./nodes.ts";

/** A stretch between neighbouring nodes, with the segments of either shape that run along it. */
export interface Edge {
  from: number;
  to: number;
  /** Segment numbers, of the first and of the second shape. */
  along: [number[], number[]];
}

/** Nodes and edges of two shapes laid over each other: edges meet at nodes only, none is there twice. */
export interface Arrangement {
  nodes: Nodes;
  edges: Edge[];
  /** Nodes of the points of either shape. */
  points: [number[], number[]];
  /** Nodes of the line ends of either shape, repeated as often as lines end there. */
  ends: [number[], number[]];
}

interface Piece {
  shape: 0 | 1;
  segment: number;
  nodes: number[];
  x1: number;
  y1: number;
  x2: number;
  y2: number;
}

/** Lays `a` over `b`. `chosen` restricts the segments of `b` that are laid out. */
export function arrange(a: Linework, b: Linework, chosen?: Iterable<number>): Arrangement {
  const nodes = new Nodes();
  const shapes = [a, b] as const;
  const pieces = [...piecesOf(a, 0, nodes), ...piecesOf(b, 1, nodes, chosen)];
  pieces.sort((p, q) => Math.min(p.x1, p.x2) - Math.min(q.x1, q.x2));
  eachNeighbours(pieces, (p, q) => nodeTogether(p, q, shapes, nodes));
  const points = shapes.map((shape) => shape.points).map((list) => nodesOf(list, nodes)) as [
    number[],
    number[],
  ];
  for (const node of [...points[0], ...points[1]]) for (const piece of pieces) nodePoint(piece, node, nodes);
  const ends = shapes.map((shape) => shape.lineEnds).map((list) => nodesOf(list, nodes)) as [
    number[],
    number[],
  ];
  return { nodes, edges: edgesOf(pieces, nodes), points, ends };
}

function nodesOf(pairs: Float64Array, nodes: Nodes): number[] {
  const list: number[] = [];
  for (let i = 0; i < pairs.length; i += 2) list.push(nodes.vertex(pairs[i]!, pairs[i + 1]!));
  return list;
}

function* piecesOf(work: Linework, shape: 0 | 1, nodes: Nodes, chosen?: Iterable<number>): Generator<Piece> {
  const s = work.segments;
  for (const i of chosen ?? work.owner.keys()) {
    const [x1, y1, x2, y2] = [s[4 * i]!, s[4 * i + 1]!, s[4 * i + 2]!, s[4 * i + 3]!];
    yield { shape, segment: i, nodes: [nodes.vertex(x1, y1), nodes.vertex(x2, y2)], x1, y1, x2, y2 };
  }
}

/** Calls `visit` with each pair whose boxes touch; `pieces` must be sorted by their west ends. */
function eachNeighbours(pieces: Piece[], visit: (p: Piece, q: Piece) => void): void {
  for (let i = 0; i < pieces.length; i++) {
    const p = pieces[i]!;
    const east = Math.max(p.x1, p.x2);
    const south = Math.min(p.y1, p.y2);
    const north = Math.max(p.y1, p.y2);
    for (let j = i + 1; j < pieces.length; j++) {
      const q = pieces[j]!;
      if (q.x1 > east && q.x2 > east) break;
      if ((q.y1 < south && q.y2 < south) || (q.y1 > north && q.y2 > north)) continue;
      visit(p, q);
    }
  }
}

function nodeTogether(p: Piece, q: Piece, shapes: readonly [Linework, Linework], nodes: Nodes): void {
  const p1 = sideOf(q.x1, q.y1, q.x2, q.y2, p.x1, p.y1);
  const p2 = sideOf(q.x1, q.y1, q.x2, q.y2, p.x2, p.y2);
  if ((p1 > 0 && p2 > 0) || (p1 < 0 && p2 < 0)) return;
  const q1 = sideOf(p.x1, p.y1, p.x2, p.y2, q.x1, q.y1);
  const q2 = sideOf(p.x1, p.y1, p.x2, p.y2, q.x2, q.y2);
  if ((q1 > 0 && q2 > 0) || (q1 < 0 && q2 < 0)) return;
  if (p1 !== 0 && p2 !== 0 && q1 !== 0 && q2 !== 0) {
    const node = nodes.crossing(shapes[p.shape].segments, p.segment, shapes[q.shape].segments, q.segment);
    p.nodes.push(node);
    q.nodes.push(node);
    return;
  }
  if (p1 === 0 && inBox(q, p.x1, p.y1)) q.nodes.push(p.nodes[0]!);
  if (p2 === 0 && inBox(q, p.x2, p.y2)) q.nodes.push(p.nodes[1]!);
  if (q1 === 0 && inBox(p, q.x1, q.y1)) p.nodes.push(q.nodes[0]!);
  if (q2 === 0 && inBox(p, q.x2, q.y2)) p.nodes.push(q.nodes[1]!);
}

function nodePoint(piece: Piece, node: number, nodes: Nodes): void {
  const [x, y] = [nodes.x[node]!, nodes.y[node]!];
  if (inBox(piece, x, y) && sideOf(piece.x1, piece.y1, piece.x2, piece.y2, x, y) === 0)
    piece.nodes.push(node);
}

function inBox(piece: Piece, x: number, y: number): boolean {
  return x >= piece.x1 === x <= piece.x2 || x === piece.x1 || x === piece.x2
    ? y >= piece.y1 === y <= piece.y2 || y === piece.y1 || y === piece.y2
    : false;
}

function edgesOf(pieces: Piece[], nodes: Nodes): Edge[] {
  const edges = new Map<number, Edge>();
  for (const { shape, segment, nodes: own, x1, y1, x2, y2 } of pieces) {
    const byY = Math.abs(y2 - y1) > Math.abs(x2 - x1);
    const sorted = own.length === 2 ? own : [...new Set(own)].sort((m, n) => nodes.compare(m, n, byY));
    for (let i = 1; i < sorted.length; i++) {
      const [from, to] =
        sorted[i - 1]! < sorted[i]! ? [sorted[i - 1]!, sorted[i]!] : [sorted[i]!, sorted[i - 1]!];
      const key = from * nodes.length + to;
      const edge = edges.get(key) ?? { from, to, along: [[], []] };
      if (edge.along[0].length + edge.along[1].length === 0) edges.set(key, edge);
      edge.along[shape].push(segment);
    }
  }
  return [...edges.values()];
}
