#include "gui/panels/canvas/canvas_panel.h"

#include <QApplication>
#include <QClipboard>
#include <QContextMenuEvent>
#include <QFileDialog>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QMenu>
#include <QPushButton>
#include <QVBoxLayout>

#include "engine/exchange/recipe_exchange.h"
#include "engine/run/record_access.h"
#include "gui/document/run_text.h"
#include "gui/look/theme.h"
#include "gui/panels/canvas/points_stage.h"
#include "gui/panels/canvas/run_state_page.h"
#include "gui/panels/canvas/word_bars.h"
#include "gui/plots/axis.h"
#include "gui/widgets/elided_label.h"
#include "gui/widgets/segmented.h"

namespace meander::gui {
namespace {

QToolButton* toggle(const QString& text, const QString& tip, bool on, QWidget* parent) {
    auto* b = new QToolButton(parent);
    b->setText(text);
    b->setToolTip(tip);
    b->setCheckable(true);
    b->setChecked(on);
    return b;
}

QWidget* emptyState(Document& document, QWidget* parent) {
    auto* w = new QWidget(parent);
    w->setProperty("canvas", true);
    w->setAttribute(Qt::WA_StyledBackground);
    auto* text = new QLabel(CanvasPanel::tr("The image of a run appears here, and every step on the way to it."), w);
    text->setProperty("muted", true);
    text->setWordWrap(true);
    text->setAlignment(Qt::AlignCenter);
    auto* run = new QPushButton(CanvasPanel::tr("Run"), w);
    run->setProperty("primary", true);
    QObject::connect(run, &QPushButton::clicked, &document, [&document] { document.runDraft(); });
    auto* box = new QVBoxLayout(w);
    box->addStretch();
    box->addWidget(text);
    box->addSpacing(8);
    box->addWidget(run, 0, Qt::AlignCenter);
    box->addStretch();
    return w;
}

}  // namespace

CanvasPanel::CanvasPanel(Document& document, SelectionModel& selection, QWidget* parent)
    : QWidget(parent), m_document(document), m_selection(selection) {
    setProperty("canvas", true);
    setAttribute(Qt::WA_StyledBackground);
    m_stack = new QStackedWidget(this);
    m_images = new ImageStage(document, selection, m_stack);
    m_points = new PointsStage(document, selection, m_stack);
    m_emptyState = emptyState(document, m_stack);
    m_words = new WordBars(document, selection, m_images);
    m_words->hide();
    m_runState = new RunStatePage(document, m_stack);
    for (QWidget* w : {static_cast<QWidget*>(m_images), static_cast<QWidget*>(m_points),
                       static_cast<QWidget*>(m_runState), m_emptyState})
        m_stack->addWidget(w);
    buildBar();
    m_strip = new ElidedLabel(this);
    m_strip->setFont(numberFont(8.5));
    m_strip->setProperty("muted", true);
    m_strip->setContentsMargins(16, 4, 16, 6);
    auto* box = new QVBoxLayout(this);
    box->setContentsMargins(0, 0, 0, 0);
    box->setSpacing(0);
    box->addWidget(m_bar);
    box->addWidget(m_stack, 1);
    box->addWidget(m_strip);
    connect(m_images, &ImageStage::changed, this, &CanvasPanel::refresh);
    connect(m_points, &PointsStage::changed, this, &CanvasPanel::refresh);
    connect(m_words, &WordBars::changed, this, &CanvasPanel::placeCard);
    connect(&m_selection, &SelectionModel::runChanged, this, &CanvasPanel::refresh);
    connect(&m_selection, &SelectionModel::wordsChanged, this, &CanvasPanel::refresh);
    connect(&m_document, &Document::runsChanged, this, &CanvasPanel::refresh);
    refresh();
}

void CanvasPanel::buildBar() {
    m_bar = new QWidget(this);
    m_bar->setProperty("panel", true);
    m_bar->setAttribute(Qt::WA_StyledBackground);
    m_quantity = new Segmented({QStringLiteral("x̂0"), QStringLiteral("xₜ"), QStringLiteral("ε̂"), QStringLiteral("Δ")},
                               {tr("Denoised estimate x̂0"), tr("Noisy state, scaled to unit spread"),
                                tr("Predicted noise"), tr("Change of x̂0 since the step before, signed")},
                               m_bar);
    m_quantity->setCurrent(0);
    m_compare = new Segmented({tr("Side"), tr("Wipe"), tr("Blink"), tr("Difference")},
                              {tr("Side by side"), tr("One over the other; drag the line or use ← →"),
                               tr("One after the other; X starts and stops"), tr("Signed difference, 0 in the middle")},
                              m_bar);
    m_compare->setCurrent(0);
    m_amplification = new ChoiceField(m_bar);
    m_amplification->setObjectName("amplification");
    m_amplification->addItem(tr("Fit"), 0);
    for (int f : {1, 2, 4, 8, 16, 32, 64, 128, 256}) m_amplification->addItem(QStringLiteral("×%1").arg(f), f);
    m_amplification->setToolTip(
        tr("Amplification of the difference; Fit: as much as shows its strongest colour uncut"));
    m_overlay = new ChoiceField(m_bar);
    m_overlay->addItems({tr("Heat"), tr("Contour"), tr("Spotlight"), tr("No overlay")});
    m_overlay->setToolTip(tr("How the attention of the chosen words is drawn over the image"));
    m_grid = toggle(tr("Grid"), tr("All images of the run (G)"), false, m_bar);
    m_field = toggle(tr("Field"), tr("Density and velocity at the noise level of the cursor"), true, m_bar);
    m_paths = toggle(tr("Paths"), tr("The way of the particles: past solid, future faint"), true, m_bar);
    m_follow = toggle(tr("Follow"),
                      tr("On: the axes follow the spread of the states. Off: one steady view, in units of √(a² + τ²), "
                         "so that particles can be followed"),
                      false, m_bar);
    m_head = new ElidedLabel(m_bar, Qt::ElideLeft);
    m_head->setFont(numberFont(8.5));
    m_head->setProperty("dim", true);
    m_head->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    m_head->setMinimumWidth(40);
    auto* row = new QHBoxLayout(m_bar);
    row->setContentsMargins(12, 5, 14, 5);
    row->setSpacing(8);
    for (QWidget* w :
         {static_cast<QWidget*>(m_quantity), static_cast<QWidget*>(m_compare), static_cast<QWidget*>(m_amplification),
          static_cast<QWidget*>(m_overlay), static_cast<QWidget*>(m_grid), static_cast<QWidget*>(m_field),
          static_cast<QWidget*>(m_paths), static_cast<QWidget*>(m_follow)})
        row->addWidget(w);
    row->addWidget(m_head, 1);
    connect(m_quantity, &Segmented::chosen, this, [this](int i) { m_images->setQuantity(Quantity(i)); });
    connect(m_compare, &Segmented::chosen, this, [this](int i) { m_images->setCompareMode(CompareMode(i)); });
    connect(m_amplification, &QComboBox::currentIndexChanged, this,
            [this] { m_images->setAmplification(m_amplification->currentData().toDouble()); });
    connect(m_overlay, &QComboBox::currentIndexChanged, this,
            [this](int i) { m_images->setOverlayMode(OverlayMode(i)); });
    connect(m_grid, &QToolButton::toggled, m_images, &ImageStage::setGrid);
    connect(m_field, &QToolButton::toggled, m_points, &PointsStage::setShowsField);
    connect(m_paths, &QToolButton::toggled, m_points, &PointsStage::setShowsPaths);
    connect(m_follow, &QToolButton::toggled, m_points, &PointsStage::setFollowsSpread);
}

void CanvasPanel::zoomToFit() {
    m_images->setZoom(0);
    m_points->setZoom(1);
}
void CanvasPanel::zoomTo100() {
    m_images->setZoom(1);
    m_points->setZoom(1);
}
void CanvasPanel::zoomTo200() {
    m_images->setZoom(2);
    m_points->setZoom(2);
}
void CanvasPanel::toggleBlink() { m_images->toggleBlink(); }

QString CanvasPanel::headline() const {
    const RunPtr run = m_document.run(m_selection.currentRun());
    if (!run) return {};
    const int evaluation = linkedStep(*run, shownCursor(m_document, m_selection)).evaluation;
    if (m_points->showsPoints()) return stepText(*run, evaluation);
    const Quantity q = Quantity(m_quantity->current());
    const QString zoom = tr("%1 %").arg(qRound(m_images->shownScale() * 100));
    const QString end =
        shownEvaluation(*run, evaluation) < 0 ? endText(*run) : tr("%1, %2").arg(quantityName(q), endText(*run));
    QString text = evaluation < 0 ? QStringLiteral("%1 · %2").arg(end, zoom)
                                  : tr("%1 at %2 · %3").arg(quantityName(q), stepText(*run, evaluation), zoom);
    if (isLatent(run->model) && evaluation >= 0) text += tr(" · latent, 3 channels");
    if (isApproximate(run->model) && evaluation >= 0) text += tr(" · linear preview");
    // Cut at the left where it is too long; compared images have more room for the probe beside their metrics.
    return m_images->probeText().isEmpty() || m_images->isComparing()
               ? text
               : text + QStringLiteral("   ") + m_images->probeText();
}

void CanvasPanel::refresh() {
    const RunPtr run = m_document.run(m_selection.currentRun());
    const bool isPoints = run && run->model.state.kind == StateKind::Points, isImage = run && !isPoints,
               isComparing = m_images->isComparing() && isImage;
    const bool hasView = run && (isComparing || RunStatePage::hasView(*run));
    if (run && !hasView) m_runState->show(run);
    m_stack->setCurrentWidget(!run       ? m_emptyState
                              : !hasView ? static_cast<QWidget*>(m_runState)
                              : isPoints ? static_cast<QWidget*>(m_points)
                                         : m_images);
    m_bar->setVisible(hasView);
    m_quantity->setVisible(isImage);
    m_compare->setVisible(isComparing);
    m_amplification->setVisible(isComparing && m_images->compareMode() == CompareMode::Difference);
    if (m_compare->current() != int(m_images->compareMode())) m_compare->setCurrent(int(m_images->compareMode()));
    m_overlay->setVisible(isImage && !m_selection.words().isEmpty());
    m_grid->setVisible(isImage && !isComparing && run->recipe.images > 1);
    if (m_grid->isChecked() != m_images->isGrid()) m_grid->setChecked(m_images->isGrid());
    m_field->setVisible(hasView && isPoints && run->model.state.shape.count() == 2);
    m_paths->setVisible(isPoints);
    m_follow->setVisible(isPoints && !m_points->isCurved() && run->model.state.shape.count() >= 2);
    m_head->setText(headline());
    const auto measured = m_images->metrics();
    const bool hasFailed = run && hasView && run->status == RunStatus::Failed && !run->problem.empty();
    m_strip->setVisible(hasFailed || (isComparing && measured.has_value()));
    if (hasFailed) {
        m_strip->setText(tr("Run %1 failed: %2").arg(run->number).arg(qstr(run->problem)));
    } else if (measured) {
        const QString probe = m_images->probeText();
        m_strip->setText(tr("RMS %1 · PSNR %2 dB · max %3   %4")
                             .arg(formatNumber(measured->rms), formatNumber(measured->psnr),
                                  formatNumber(measured->maximum),
                                  probe.isEmpty() ? tr("of images in [0, 1]") : probe));
    }
    placeCard();
}

void CanvasPanel::placeCard() {
    const bool isShown =
        m_words->isOffered() && m_images->width() > 400 && (!m_images->isGrid() || m_images->isComparing());
    m_words->setVisible(isShown);
    m_images->setRightMargin(isShown ? m_words->sizeHint().width() + 14 : 0);
    if (!isShown) return;
    QSize size = m_words->sizeHint();
    size.setHeight(std::min(size.height(), m_images->height() - 24));
    m_words->setGeometry(QRect(QPoint(m_images->width() - size.width() - 14, 14), size));
}

bool CanvasPanel::showsRunState() const { return m_stack->currentWidget() == m_runState; }

ImageStage::Shown CanvasPanel::shown() {
    if (m_stack->currentWidget() == m_points) return {m_points->grab().toImage(), nullptr, 0};
    return m_images->shownAt(m_menuAt.value_or(QPointF(-1, -1)));
}

void CanvasPanel::copyImage() {
    const QImage image = shown().image;
    if (image.isNull()) return emit m_document.message(tr("There is no image to copy at this step"));
    QApplication::clipboard()->setImage(image);
    emit m_document.message(tr("The image was copied"));
}

bool CanvasPanel::saveImageTo(const QString& path) {
    const auto [shown, run, index] = this->shown();
    if (shown.isNull()) return false;
    const QImage image = shown.convertToFormat(QImage::Format_RGB888);
    Image pixels(image.width(), image.height());
    for (int y = 0; y < image.height(); ++y)
        std::copy_n(image.constScanLine(y), 3 * std::size_t(image.width()), pixels.at(0, y));
    PngTexts texts = run ? textsOf(*run, index) : PngTexts();
    texts["Comment"] = headline().toStdString();
    if (const Status written = writePng(path.toStdString(), pixels, texts); !written) {
        emit m_document.problem(qstr(written.error().text), {});
        return false;
    }
    return true;
}

void CanvasPanel::saveImage() {
    const RunPtr run = m_document.run(m_selection.currentRun());
    if (!run) return;
    const int evaluation = linkedStep(*run, shownCursor(m_document, m_selection)).evaluation;
    const Evaluation* e = run->trajectory ? evaluationAt(*run->trajectory, evaluation) : nullptr;
    const QString step = e ? QStringLiteral("-step-%1").arg(e->step) : QString();
    const QString path =
        QFileDialog::getSaveFileName(this, tr("Save image"), QStringLiteral("run-%1%2.png").arg(run->number).arg(step),
                                     QStringLiteral("PNG (*.png)"));
    if (!path.isEmpty() && saveImageTo(path)) emit m_document.message(tr("Saved %1").arg(QFileInfo(path).fileName()));
}

void CanvasPanel::keyPressEvent(QKeyEvent* event) {
    if (event->matches(QKeySequence::Copy)) return copyImage();
    QWidget::keyPressEvent(event);
}

void CanvasPanel::contextMenuEvent(QContextMenuEvent* event) {
    if (m_stack->currentWidget() == m_emptyState || showsRunState()) return;
    m_menuAt = m_images->mapFrom(this, event->pos());
    QMenu menu(this);
    menu.addAction(tr("Copy image"), this, &CanvasPanel::copyImage);
    menu.addAction(tr("Save image as PNG …"), this, &CanvasPanel::saveImage);
    if (m_stack->currentWidget() == m_points) addPlotActions(menu);
    menu.exec(event->globalPos());
    m_menuAt.reset();
}

void CanvasPanel::addPlotActions(QMenu& menu) {
    menu.addAction(tr("Show as table …"), m_points, &PointsStage::showTable);
    menu.addSeparator();
    for (const QString& ending : {QStringLiteral("svg"), QStringLiteral("pdf"), QStringLiteral("csv")})
        menu.addAction(tr("Export %1 …").arg(ending.toUpper()), this, [this, ending] {
            const QString path =
                QFileDialog::getSaveFileName(this, tr("Export the points"), "points." + ending,
                                             QStringLiteral("%1 (*.%2)").arg(ending.toUpper(), ending));
            if (path.isEmpty()) return;
            if (exportPlot(m_points->plot(), m_points->size(), theme(), path))
                emit m_document.message(tr("Exported %1").arg(QFileInfo(path).fileName()));
            else
                emit m_document.problem(tr("Cannot write '%1'. Choose another folder or free some space.").arg(path),
                                        {});
        });
}

void CanvasPanel::resizeEvent(QResizeEvent*) { placeCard(); }

}  // namespace meander::gui
