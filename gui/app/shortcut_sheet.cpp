#include "gui/app/shortcut_sheet.h"

#include <QGridLayout>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QVBoxLayout>

#include "gui/look/theme.h"

namespace meander::gui {
namespace {

struct Group {
    QString name;
    std::vector<std::pair<QString, QString>> rows;       // what, and by which keys or gesture
    int height() const { return int(rows.size()) + 2; }  // in lines
};

std::vector<Group> groupsOf(const CommandRegistry& registry) {
    std::vector<Group> groups;
    for (const Command& c : registry.commands()) {
        const QString name = c.menu.section('/', 0, 0);
        QStringList keys;
        for (const QKeySequence& k : registry.action(c.id)->shortcuts())
            keys.append(k.toString(QKeySequence::NativeText));
        if (keys.isEmpty()) continue;
        auto it = std::find_if(groups.begin(), groups.end(), [&](const Group& g) { return g.name == name; });
        if (it == groups.end()) it = groups.insert(groups.end(), Group{name, {}});
        it->rows.emplace_back(c.text, keys.mid(0, 2).join(QStringLiteral("  ")));
    }
    // What is no command: it belongs to what is under the pointer or has the focus.
    const auto tr = [](const char* text) { return ShortcutSheet::tr(text); };
    groups.push_back({tr("List of runs"),
                      {{tr("Compare with the shown run"), tr("Alt+click")},
                       {tr("Rename"), tr("double click")},
                       {tr("Delete the run"), QKeySequence(Qt::Key_Delete).toString(QKeySequence::NativeText)}}});
    groups.push_back({tr("Canvas, words and steps"),
                      {{tr("Words that made this place"), tr("click the image")},
                       {tr("Zoom"), tr("Ctrl+wheel")},
                       {tr("Move the image"), tr("Shift+drag")},
                       {tr("Grid of images"), QStringLiteral("G")},
                       {tr("Several words"), tr("Ctrl+click")},
                       {tr("Range of steps"), tr("Shift+drag the film strip")},
                       {tr("A plot as a table"), QStringLiteral("T")}}});
    return groups;
}

QWidget* groupWidget(const Group& group, QWidget* parent) {
    auto* widget = new QWidget(parent);
    widget->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Maximum);
    auto* grid = new QGridLayout(widget);
    grid->setContentsMargins(0, 0, 0, 10);
    grid->setHorizontalSpacing(16);
    grid->setVerticalSpacing(4);
    auto* head = new QLabel(group.name, widget);
    head->setFont(headFont());
    head->setProperty("muted", true);
    grid->addWidget(head, 0, 0, 1, 2);
    for (int row = 0; row < int(group.rows.size()); ++row) {
        const auto& [text, keys] = group.rows[std::size_t(row)];
        grid->addWidget(new QLabel(text, widget), row + 1, 0);
        auto* label = new QLabel(keys, widget);
        label->setFont(numberFont(8.8));
        label->setProperty("muted", true);
        label->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
        grid->addWidget(label, row + 1, 1);
    }
    grid->setColumnStretch(0, 1);
    return widget;
}

}  // namespace

ShortcutSheet::ShortcutSheet(const CommandRegistry& registry, QWidget* parent) : QDialog(parent) {
    setObjectName("shortcutSheet");
    setWindowTitle(tr("Keyboard shortcuts"));
    auto* content = new QWidget;
    content->setProperty("panel", true);
    auto* columns = new QHBoxLayout(content);
    columns->setContentsMargins(20, 16, 20, 8);
    columns->setSpacing(40);
    // In their order, in three columns of about the same height.
    const auto groups = groupsOf(registry);
    int total = 0, above = 0;
    for (const Group& g : groups) total += g.height();
    std::vector<QVBoxLayout*> column;
    for (int i = 0; i < 3; ++i) columns->addLayout(column.emplace_back(new QVBoxLayout), 1);
    for (const Group& g : groups) {
        column[std::size_t(std::min(2, 3 * (above + g.height() / 2) / total))]->addWidget(groupWidget(g, content));
        above += g.height();
    }
    for (QVBoxLayout* c : column) c->addStretch();
    auto* scroll = new QScrollArea(this);
    scroll->setWidget(content);
    scroll->setWidgetResizable(true);
    auto* close = new QPushButton(tr("Close"), this);
    close->setDefault(true);
    connect(close, &QPushButton::clicked, this, &QDialog::accept);
    auto* box = new QVBoxLayout(this);
    box->setContentsMargins(0, 0, 12, 12);
    box->addWidget(scroll);
    box->addWidget(close, 0, Qt::AlignRight);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setMinimumWidth(content->minimumSizeHint().width() + 24);
    // All of it at once, where the window has the room.
    const QSize whole = content->sizeHint() + QSize(36, 76), most = parent ? parent->size() - QSize(40, 60) : whole;
    resize(std::max(scroll->minimumWidth() + 12, whole.width()), std::min(whole.height(), most.height()));
}

}  // namespace meander::gui
