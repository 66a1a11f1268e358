// What runs look like that are not finished, in spaces that are not the plane, and beside others: scale, reasons,
// names.
#include <QTemporaryDir>

#include "engine/imaging/pixel_map.h"
#include "gui/document/run_text.h"
#include "gui/images/point_image.h"
#include "gui/panels/canvas/canvas_panel.h"
#include "gui/panels/canvas/points_stage.h"
#include "gui/panels/canvas/run_state_page.h"
#include "gui/panels/timeline/timeline_panel.h"
#include "gui/widgets/dock_title.h"
#include "tests/gui/panels/panel_test.h"

using namespace meander;
using namespace meander::gui;

namespace {

// The disc as a model with two by two pixels in a place would have recorded it.
std::shared_ptr<Run> foldedRun(const Run& disc) {
    auto run = std::make_shared<Run>(disc);
    auto t = std::make_shared<Trajectory>(*disc.trajectory);
    run->model.state.shape = {16, 16, 12};
    run->model.state.image = {32, 32, 3};
    run->model.pixels = PixelMap{.fold = 2, .scale = 0.5, .offset = 0.5, .matrix = {}, .bias = {}};
    t->initial = foldPixels(t->initial, 2);
    for (auto& e : t->evaluations) {
        auto copy = std::make_shared<Evaluation>(*e);
        copy->state = foldPixels(e->state, 2);
        copy->denoised = foldPixels(e->denoised, 2);
        copy->branches.clear();
        e = copy;
    }
    for (auto& s : t->steps) {
        auto copy = std::make_shared<Step>(*s);
        copy->state = foldPixels(s->state, 2);
        s = copy;
    }
    run->trajectory = t;
    return run;
}

std::shared_ptr<Run> onManifold(ManifoldKind kind, int coordinates) {
    auto run = test::ringRun(nameOf(kind), 9, 6, 24, coordinates);
    run->model.process = Process::rectifiedFlow(1, 1, 1000).onManifold(Manifold(kind));
    return run;
}

}  // namespace

class TestStates : public test::PanelTest {
    Q_OBJECT
private slots:
    // A run of 400 steps, cancelled: the map from states to images is its codec's, not fitted to what it left.
    void aRunThatWasBrokenOffKeepsItsScale() {
        const auto finished = foldedRun(*m_document->run("a"));
        QVERIFY(!isLatent(finished->model));
        for (const RunStatus status : {RunStatus::Cancelled, RunStatus::Interrupted, RunStatus::Failed}) {
            auto broken = std::make_shared<Run>(*finished);
            auto t = std::make_shared<Trajectory>(*finished->trajectory);
            t->evaluations.resize(5);
            t->steps.resize(4);
            broken->trajectory = t;
            broken->status = status;
            // As the engine leaves it: the last estimate as its image, and nothing at all.
            for (const HostTensor& left :
                 {applyPixelMap({2, 0.5, 0.5}, t->evaluations.back()->denoised), HostTensor()}) {
                broken->images = left;
                for (int k = 0; k < 5; ++k)
                    for (const Quantity q : {Quantity::Denoised, Quantity::State})
                        QCOMPARE(stateImage(*broken, 0, k, q, true), stateImage(*finished, 0, k, q, true));
            }
        }
        // The unfolded state is the plain one.
        QCOMPARE(stateImage(*finished, 0, 3, Quantity::Denoised, true),
                 stateImage(*m_document->run("a"), 0, 3, Quantity::Denoised, true));
    }

    void pixelsAreFoldedOnce() {
        std::vector<float> v(2 * 4 * 6 * 3);
        for (std::size_t i = 0; i < v.size(); ++i) v[i] = float(i);
        const HostTensor images = HostTensor::fromFloats({2, 4, 6, 3}, v), states = foldPixels(images, 2);
        QCOMPARE(states.shape(), (Shape{2, 2, 3, 12}));
        // Channel c·4 + dy·2 + dx of place (y, x) is pixel (2y + dy, 2x + dx) of colour c.
        QCOMPARE(states.toFloats()[std::size_t((1 * 3 + 2) * 12 + 1 * 4 + 1 * 2 + 0)],
                 v[std::size_t((3 * 6 + 4) * 3 + 1)]);
        QVERIFY(unfoldPixels(states, 2).sameBits(images));
        QVERIFY(!unfoldPixels(images, 2) && !foldPixels(images, 5) && !unfoldPixels({}, 1));
        QCOMPARE(applyPixelMap({2, 2, 1}, states).toFloats()[5], 2 * v[5] + 1);
    }

    void aRunWithNothingToShowSaysWhy() {
        CanvasPanel canvas(*m_document, *m_selection);
        canvas.resize(700, 500);
        canvas.show();
        auto failed = test::discRun("f", 7, 4);
        failed->status = RunStatus::Failed;
        failed->problem = "The file of the model is gone.";
        failed->trajectory = std::make_shared<const Trajectory>();
        failed->images = {};
        failed->recipe.seed = 4711;
        m_document->addRun(failed);
        select("f");
        QVERIFY(canvas.showsRunState());
        QVERIFY(canvas.runState().title().contains("Run 7 failed"));
        QCOMPARE(canvas.runState().reason(), QString::fromStdString(failed->problem));
        const auto button = [&](const QString& text) -> QPushButton* {
            for (auto* b : canvas.runState().findChildren<QPushButton*>())
                if (b->isVisible() && b->text() == text) return b;
            return nullptr;
        };
        QVERIFY(button("Use its recipe") && button("Run it again") && !button("Cancel the run"));
        QTest::mouseClick(button("Use its recipe"), Qt::LeftButton);
        QCOMPARE(m_document->draft().seed, std::uint64_t(4711));
        select("a");
        QVERIFY(!canvas.showsRunState());
        auto cancelled = std::make_shared<Run>(*failed);
        cancelled->id = "c";
        cancelled->status = RunStatus::Cancelled;
        m_document->addRun(cancelled);
        select("c");
        QVERIFY(canvas.showsRunState() && canvas.runState().title().contains("cancelled before its first step"));
        // Of one that failed on its way the image stays, and the reason stands below it.
        auto late = test::discRun("late", 8, 4);
        late->status = RunStatus::Failed;
        late->problem = "The estimate became not a number.";
        m_document->addRun(late);
        select("late");
        QVERIFY(!canvas.showsRunState());
        bool isTold = false;
        for (auto* l : canvas.findChildren<QLabel*>())
            isTold |= l->isVisible() && l->text().contains("The estimate became not a number.");
        QVERIFY(isTold);
    }

    void aGridOfOneImageIsNone() {
        CanvasPanel canvas(*m_document, *m_selection);
        canvas.resize(700, 500);
        canvas.show();
        select("a");
        canvas.images().setFocus();
        QTest::keyClick(&canvas.images(), Qt::Key_G);
        QVERIFY(!canvas.images().isGrid());
    }

    void chartsOfCurvedSpaces() {
        const PointChart torus{ManifoldKind::Torus}, sphere{ManifoldKind::Sphere}, disc{ManifoldKind::Hyperboloid};
        const double three[] = {3.0, -0.5};
        QCOMPARE(torus.place(three).at, QPointF(3, -0.5));
        const double far[] = {4.0, 0};
        QVERIFY(std::abs(torus.place(far).at.x() - (4.0 - 2 * M_PI)) < 1e-12);
        // Across the edge: two pieces, none goes across the square.
        const auto pieces = torus.pieces({QPointF(2.5, 0), QPointF(3.0, 0.1), QPointF(-3.0, 0.2), QPointF(-2.5, 0.3)});
        QCOMPARE(pieces.size(), std::size_t(2));
        for (const QPolygonF& piece : pieces)
            for (qsizetype i = 1; i < piece.size(); ++i) QVERIFY(std::abs(piece[i].x() - piece[i - 1].x()) < 1);
        QVERIFY(pieces[0].back().x() > M_PI - 0.1 && pieces[1].front().x() < -M_PI + 0.1);
        QCOMPARE(PointChart{}.pieces({QPointF(3, 0), QPointF(-3, 0)}).size(), std::size_t(1));
        for (double a = 0; a < 6; a += 0.7) {
            const double p[] = {std::cos(a) * 0.6, std::sin(a) * 0.6, 0.8}, h[] = {std::cosh(a), std::sinh(a), 0};
            const auto s = sphere.place(p);
            QVERIFY(std::abs(s.at.x() * s.at.x() + s.at.y() * s.at.y() + s.depth * s.depth - 1) < 1e-12);
            const QPointF d = disc.place(h).at;
            QVERIFY(std::abs(d.x() - std::tanh(a / 2)) < 1e-12 && d.y() == 0);
        }
        // The view of a space that has an end does not follow the states.
        for (const auto& [kind, coordinates] : {std::pair(ManifoldKind::Torus, 2), std::pair(ManifoldKind::Sphere, 3),
                                                std::pair(ManifoldKind::Hyperboloid, 3)}) {
            m_document->addRun(onManifold(kind, coordinates));
            CanvasPanel canvas(*m_document, *m_selection);
            canvas.resize(500, 500);
            canvas.show();
            select(nameOf(kind));
            const QRectF view = canvas.points().viewBounds();
            QVERIFY(canvas.points().isCurved() && view.width() > 2);
            lock(nameOf(kind), 0);
            QCOMPARE(canvas.points().viewBounds(), view);
            QVERIFY(!canvas.points().grab().isNull());
        }
    }

    void pointsAreZoomedPickedAndExported() {
        CanvasPanel canvas(*m_document, *m_selection);
        canvas.resize(600, 500);
        canvas.show();
        select("p");
        PointsStage& stage = canvas.points();
        const QPointF before = stage.pageOf(17);
        QVERIFY(QRectF(stage.rect()).contains(before));
        QTest::mouseClick(&stage, Qt::LeftButton, {}, before.toPoint());
        const int picked = m_selection->image();
        QVERIFY((stage.pageOf(picked) - before).manhattanLength() < 4);
        QVERIFY(stage.accessibleDescription().contains(QString("particle %1 of 240").arg(picked + 1)));
        QTest::keyClick(&stage, Qt::Key_Up);
        QCOMPARE(m_selection->image(), picked + 1);
        // What is under the pointer stays there.
        QWheelEvent wheel(before, stage.mapToGlobal(before), {}, {0, 240}, Qt::NoButton, Qt::ControlModifier,
                          Qt::NoScrollPhase, false);
        QApplication::sendEvent(&stage, &wheel);
        QVERIFY(stage.zoom() > 1.5);
        QVERIFY((stage.pageOf(picked) - before).manhattanLength() < 20);  // ticks of another width move the frame
        QTest::mouseDClick(&stage, Qt::LeftButton);
        QCOMPARE(stage.zoom(), 1.0);
        QTest::keyClick(&stage, Qt::Key_Plus);
        QVERIFY(stage.zoom() > 1);
        canvas.zoomToFit();
        QCOMPARE(stage.zoom(), 1.0);
        stage.setShowsField(false);  // whose values are rows too
        const Table table = stage.plot().table();
        QCOMPARE(table.rows.size(), qsizetype(240));
        QTemporaryDir folder;
        for (const char* name : {"points.svg", "points.csv", "points.pdf"}) {
            QVERIFY(exportPlot(stage.plot(), stage.size(), theme(), folder.filePath(name)));
            QVERIFY(QFileInfo(folder.filePath(name)).size() > 1000);
        }
    }

    void namesTellWhatDiffers() {
        Run base = *m_document->run("a"), other = base;
        other.id = "x";
        other.recipe.sampler = {"heun", {}};
        QCOMPARE(runTitle(other, &base), QString("Heun"));
        other.recipe.steps = 12 + base.recipe.steps;
        other.recipe.seed = 7;
        QCOMPARE(runTitle(other, &base), QString("seed 7 · %1 steps +1").arg(other.recipe.steps));
        other.name = "mine";
        QCOMPARE(runTitle(other, &base), QString("mine"));
        QCOMPARE(runTitle(base, &base), QString("a red circle on green"));
        // Without a baseline the first run is the one that others are told by.
        QCOMPARE(runName(*m_document, *m_document->run("a")), QString("a red circle on green"));
        const QString b = runName(*m_document, *m_document->run("b"));
        QVERIFY2(b.contains("8 steps") && b.contains("Exponential"), qPrintable(b));
    }

    void titlesDoNotMoveUnderThePointer() {
        QDockWidget dock("Timeline");
        auto* title = new DockTitle(&dock);
        dock.setTitleBarWidget(title);
        auto* panel = new TimelinePanel(*m_document, *m_selection);
        dock.setWidget(panel);
        title->setControls(panel->takeControls());
        dock.resize(700, 160);
        dock.show();
        QList<QRect> before;
        const auto buttons = title->findChildren<QToolButton*>();
        for (auto* b : buttons) before.append(QRect(b->mapTo(title, QPoint()), b->size()));
        QEnterEvent enter({5, 5}, {5, 5}, {5, 5});
        QApplication::sendEvent(title, &enter);
        QCoreApplication::processEvents();
        for (qsizetype i = 0; i < buttons.size(); ++i)
            if (buttons[i]->isVisible() && !buttons[i]->accessibleName().startsWith("Float")
                && !buttons[i]->accessibleName().startsWith("Close"))
                QCOMPARE(QRect(buttons[i]->mapTo(title, QPoint()), buttons[i]->size()), before[i]);
        for (auto* b : buttons) QVERIFY2(!b->accessibleName().isEmpty(), qPrintable(b->toolTip()));
    }
};

QTEST_MAIN(TestStates)
#include "moc_panel_test.cpp"
#include "tst_states.moc"
