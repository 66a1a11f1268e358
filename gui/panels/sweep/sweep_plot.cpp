#include "gui/panels/sweep/sweep_plot.h"

#include <map>

#include "gui/document/run_text.h"
#include "gui/look/theme.h"

namespace meander::gui {

SweepPlot::SweepPlot(Document& document, QWidget* parent) : PlotView(parent), m_document(document) {
    setObjectName("sweepPlot");
    setAccessibleName(tr("Quality against evaluations"));
    m_measuring = std::make_unique<Latest<std::vector<std::optional<CellResult>>>>(
        this, [this](const std::vector<std::optional<CellResult>>& results) {
            m_results = results;
            draw();
        });
    connect(this, &PlotView::snapPointClicked, this, [this](int i) {
        if (i >= 0 && i < int(m_points.size())) emit chosen(m_points[std::size_t(i)].cell);
    });
    draw();
}

void SweepPlot::showResults(const Sweep* sweep) {
    m_sweep = sweep ? *sweep : Sweep();
    if (!sweep) {
        m_results.clear();
        return draw();
    }
    std::vector<RunPtr> runs;
    for (const SweepCell& c : m_sweep.cells) {
        const RunPtr run = m_document.run(qstr(c.run));
        if (run && run->status == RunStatus::Finished && !run->images) m_document.requestImage(qstr(c.run));
        runs.push_back(run);
    }
    m_measuring->request([sweep = m_sweep, runs] {
        std::vector<std::optional<CellResult>> results(sweep.cells.size());
        for (std::size_t i = 0; i < results.size(); ++i)
            if (runs[i] && (runs[i]->status != RunStatus::Finished || runs[i]->images)) results[i] = resultOf(*runs[i]);
        const auto references = referencesOf(sweep, results);
        for (std::size_t i = 0; i < results.size(); ++i)
            if (references[i]) results[i]->distance = imageDistance(runs[i]->images, runs[*references[i]]->images);
        return results;
    });
}

// One for each cell; of cells that differ in the seed alone their mean.
std::vector<SweepPlot::Point> SweepPlot::pointsOf(bool hasFidelity) const {
    struct Mean {
        std::size_t cell = 0;
        int n = 0;
        double cost = 0, quality = 0;
    };
    std::map<std::string, Mean> means;
    for (std::size_t i = 0; i < m_results.size(); ++i) {
        const auto& r = m_results[i];
        if (!r || r->status != RunStatus::Finished) continue;
        const auto quality = hasFidelity ? r->fidelity : r->distance ? std::optional(-*r->distance) : std::nullopt;
        if (!quality) continue;
        const auto place = m_sweep.place(i);
        std::string key;
        for (std::size_t a = 0; a < place.size(); ++a) {
            const auto& keys = m_sweep.axes[a].keys;
            const bool isSubject = keys.size() == 1 && (keys[0] == "seed" || keys[0] == "prompt");
            if (!isSubject) key += std::to_string(place[a]) + "/";
        }
        Mean& m = means.try_emplace(key, Mean{i}).first->second;
        ++m.n;
        m.cost += r->evaluations;
        m.quality += *quality;
    }
    std::vector<Point> points;
    for (const auto& [key, m] : means)
        points.push_back(
            {m.cell,
             {m.cost / m.n, m.quality / m.n},
             tr("%1: %2, quality %3")
                 .arg(qstr(m_sweep.label(m.cell)), evaluationsText(int(m.cost / m.n)), numberText(m.quality / m.n))});
    return points;
}

void SweepPlot::draw() {
    bool hasFidelity = false;
    for (const auto& r : m_results) hasFidelity |= r && r->fidelity;
    m_points = pointsOf(hasFidelity);
    std::vector<CostQuality> all;
    for (const Point& p : m_points) all.push_back(p.at);
    const auto line = paretoLine(all);
    const auto knee = kneeOf(all, line);
    m_knee = knee ? std::optional(m_points[*knee].cell) : std::nullopt;
    Plot plot;
    plot.empty = tr("Finished cells stand here, by their evaluations and how good their images are.");
    plot.x.label = tr("evaluations (NFE)");
    plot.x.wholeNumbers = true;
    if (!m_points.empty())
        plot.title = hasFidelity ? tr("Fidelity · share of images that show their prompt")
                                 : tr("Nearness to the finest cell · −RMS");
    LineLayer front;
    front.name = tr("none is better and cheaper");
    front.style = {theme().accent, {}, Marker::None};
    front.markerRadius = 0;
    for (const std::size_t i : line) front.points.emplace_back(all[i].cost, all[i].quality);
    ScatterLayer cells, marked;
    cells.name = tr("cells");
    cells.style = {theme().muted, {}, Marker::Circle};
    cells.radius = 3;
    for (const CostQuality& c : all) cells.points.emplace_back(c.cost, c.quality);
    marked.name = tr("knee");
    marked.style = {theme().accent, {}, Marker::Diamond};
    marked.radius = 6;
    if (knee) {
        marked.points.emplace_back(all[*knee].cost, all[*knee].quality);
        plot.note = tr("knee: %1").arg(qstr(m_sweep.label(m_points[*knee].cell)));
    }
    std::vector<QPointF> snaps = cells.points;
    QStringList texts;
    for (const Point& p : m_points) texts.append(p.text);
    plot.add(std::move(front));
    plot.add(std::move(cells));
    plot.add(std::move(marked));
    plot.fitX(0.05);
    plot.fitY(0.1);
    setPlot(std::move(plot));
    setSnapPoints(std::move(snaps), texts, true);
}

void SweepPlot::setCurrent(std::optional<std::size_t> cell) {
    for (std::size_t i = 0; i < m_points.size(); ++i)
        if (cell && m_points[i].cell == *cell) return PlotView::setCursor(int(i));
    PlotView::setCursor({});
}

}  // namespace meander::gui
