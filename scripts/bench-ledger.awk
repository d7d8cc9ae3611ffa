# Draws the growth of cost from the CSV of `ledger grow`: microseconds an entry and milliseconds to open, over the
# number of entries, which grows by tens. Plain SVG, readable in light and dark.
BEGIN { width = 720; height = 360; left = 70; right = 70; top = 40; bottom = 60 }
NR > 1 && $1 >= 10000 { n++; size[n] = $1; each[n] = $3; open[n] = $4; if ($3 > most) most = $3; if ($4 > slowest) slowest = $4 }
function x(i) { return left + (n > 1 ? (i - 1) / (n - 1) : 0.5) * (width - left - right) }
function y(value, highest) { return height - bottom - value / highest * (height - top - bottom) }
function line(values, highest, colour, i, path) {
  for (i = 1; i <= n; i++) path = path (i == 1 ? "M" : "L") sprintf("%.1f %.1f", x(i), y(values[i], highest))
  printf "<path d=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"/>\n", path, colour
  for (i = 1; i <= n; i++) {
    printf "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"%s\"/>", x(i), y(values[i], highest), colour
  }
  print ""
}
function text(at, height, anchor, colour, words) {
  printf "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" fill=\"%s\">%s</text>\n", at, height, anchor, colour, words
}
END {
  if (!n) exit 1
  blue = "#1f6fb4"; orange = "#c05a00"; grey = "#777"
  most = most * 1.25; slowest = slowest * 1.25
  printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"13\" role=\"img\">\n", width, height
  print "<title>What an entry costs, and what it costs to open the log, as the log grows</title>"
  printf "<path d=\"M%d %dV%dH%dV%d\" fill=\"none\" stroke=\"%s\"/>\n", left, top, height - bottom, width - right, top, grey
  line(each, most, blue)
  line(open, slowest, orange)
  for (i = 1; i <= n; i++) {
    text(x(i), height - bottom + 20, "middle", grey, "10<tspan dy=\"-5\" font-size=\"10\">" sprintf("%.0f", log(size[i]) / log(10)) "</tspan>")
    text(x(i), y(each[i], most) - 10, "middle", blue, sprintf("%.0f", each[i]))
    text(x(i), y(open[i], slowest) + 22, "middle", orange, sprintf("%.0f", open[i]))
  }
  text(left, top - 15, "start", blue, "µs for an entry to be durable, with the writer busy")
  text(width - right, top - 15, "end", orange, "ms to open the log")
  text(width / 2, height - 15, "middle", grey, "entries in the log")
  print "</svg>"
}
