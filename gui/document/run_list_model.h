// The runs of the document as a list, newest first.
#pragma once
#include <QAbstractListModel>
#include <QHash>
#include <QImage>
#include <optional>

#include "gui/document/document.h"

namespace meander::gui {

// Root mean square difference of the finished images (or points) of two runs; nothing when their shapes differ or one
// is missing.
std::optional<double> endDifference(const Run& a, const Run& b);
// Whether their states are of one kind and size, so that they can stand side by side.
bool areComparable(const Run& a, const Run& b);
// "step 7 of 20", wherever a run under way is told of.
QString progressText(const LiveRun& live);

class RunListModel : public QAbstractListModel {
    Q_OBJECT
public:
    enum Role {
        IdRole = Qt::UserRole,
        TitleRole,
        LineRole,
        ThumbnailRole,
        ColorRole,
        NumberRole,
        PinnedRole,
        DeltaRole,
        NoteRole,
        StatusRole,
        ProgressRole
    };
    explicit RunListModel(Document& document, QObject* parent = nullptr);

    int rowCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    bool setData(const QModelIndex& index, const QVariant& value, int role) override;
    Qt::ItemFlags flags(const QModelIndex& index) const override;
    QModelIndex indexOf(const QString& id) const;
    RunPtr runAt(int row) const;

private:
    void reload();
    void refresh(const QString& id);
    QString note(const Run& run) const;
    QImage thumbnail(const Run& run) const;
    QString delta(const Run& run) const;

    Document& m_document;
    std::vector<RunPtr> m_runs;
    RunPtr m_baseline;
    mutable QHash<QString, QImage> m_thumbnails;
    mutable QHash<QString, QString> m_deltas;
};

}  // namespace meander::gui
