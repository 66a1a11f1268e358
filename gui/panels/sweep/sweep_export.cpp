// The sweep as files.
#include <QFileDialog>
#include <QPainter>
#include <QPdfWriter>
#include <QSaveFile>

#include "gui/look/text.h"
#include "gui/panels/sweep/sweep_panel.h"

namespace meander::gui {
namespace {

// A bitmap larger than this is written in tiles, for which every program has room.
constexpr int mostPixels = 8192;

bool writeTiles(SweepGrid& grid, const QSize& page, const QString& path) {
    const int columns = (page.width() + mostPixels - 1) / mostPixels,
              rows = (page.height() + mostPixels - 1) / mostPixels;
    for (int row = 0; row < rows; ++row)
        for (int column = 0; column < columns; ++column) {
            const QRect part =
                QRect(column * mostPixels, row * mostPixels, mostPixels, mostPixels) & QRect(QPoint(), page);
            QImage image(part.size(), QImage::Format_RGB32);
            image.fill(theme().panel);
            QPainter p(&image);
            p.translate(-part.topLeft());
            grid.paintPage(p, theme(), part);
            p.end();
            QString name = path;
            if (columns * rows > 1)
                name.insert(name.lastIndexOf('.'), QStringLiteral("-%1-%2").arg(row + 1).arg(column + 1));
            if (!image.save(name, "PNG")) return false;
        }
    return true;
}

bool writePdf(SweepGrid& grid, const QSize& page, const QString& path) {
    QPdfWriter pdf(path);
    pdf.setResolution(96);
    pdf.setPageMargins({});
    pdf.setPageSize(QPageSize(QSizeF(page) * 72 / 96, QPageSize::Point, {}, QPageSize::ExactMatch));
    QPainter p;
    if (!p.begin(&pdf)) return false;
    grid.paintPage(p, Theme::lightTheme(), QRect(QPoint(), page));
    return p.end();
}

}  // namespace

bool SweepPanel::exportTo(const QString& path) {
    if (!m_grid->hasSweep()) return false;
    if (path.endsWith(".csv", Qt::CaseInsensitive)) {
        std::vector<std::optional<CellResult>> results = m_plot->results();
        results.resize(m_grid->sweep().cells.size());
        QSaveFile file(path);
        return file.open(QIODevice::WriteOnly)
               && file.write(QByteArray::fromStdString(csvOf(m_grid->sweep(), results))) >= 0 && file.commit();
    }
    return path.endsWith(".pdf", Qt::CaseInsensitive) ? writePdf(*m_grid, m_grid->pageSize(), path)
                                                      : writeTiles(*m_grid, m_grid->pageSize(), path);
}

void SweepPanel::exportAs(const QString& ending) {
    const QString path = QFileDialog::getSaveFileName(this, tr("Write the sweep"), QStringLiteral("sweep.") + ending,
                                                      QStringLiteral("*.") + ending);
    if (path.isEmpty()) return;
    if (exportTo(path)) emit m_document.message(tr("Wrote %1").arg(path));
    else
        emit m_document.problem(
            tr("'%1' could not be written. Check that the folder may be written and has room.").arg(path), {});
}

}  // namespace meander::gui
