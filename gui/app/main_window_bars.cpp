// Menus and tool bar, made from the table of commands.
#include <QFileInfo>
#include <QMenu>
#include <QMenuBar>
#include <QToolBar>
#include <QToolButton>
#include <map>

#include "gui/app/main_window.h"
#include "gui/document/run_text.h"
#include "gui/document/settings.h"
#include "gui/look/icons.h"
#include "gui/widgets/search_button.h"

namespace meander::gui {

void MainWindow::buildMenus() {
    std::map<QString, QMenu*> menus;
    for (const QString& name :
         {tr("File"), tr("Edit"), tr("Run"), tr("View"), tr("Analyse"), tr("Window"), tr("Help")}) {
        menus[name] = menuBar()->addMenu(name);
        connect(menus[name], &QMenu::aboutToShow, &m_commands, &CommandRegistry::refresh);
    }
    for (const Command& c : m_commands.commands()) {
        QMenu* menu = menus.at(c.menu);
        if (c.separatorBefore) menu->addSeparator();
        menu->addAction(m_commands.action(c.id));
        if (c.id != "file.open") continue;
        m_recentMenu = menu->addMenu(tr("Open recent"));
        connect(m_recentMenu, &QMenu::aboutToShow, this, &MainWindow::fillRecentMenu);
    }
    m_commands.action("file.quit")->setMenuRole(QAction::QuitRole);
    m_commands.action("file.settings")->setMenuRole(QAction::PreferencesRole);
    m_commands.action("help.about")->setMenuRole(QAction::AboutRole);
}

void MainWindow::fillRecentMenu() {
    m_recentMenu->clear();
    for (const QString& path : settings::recentFiles()) {
        const bool exists = QFileInfo::exists(path);
        QAction* a = m_recentMenu->addAction(
            exists ? QFileInfo(path).fileName() : tr("%1 (missing)").arg(QFileInfo(path).fileName()), this,
            [this, path] {
                if (QFileInfo::exists(path)) {
                    openAnything(path);
                    return;
                }
                settings::removeRecentFile(path);
                emit m_document.problem(
                    tr("'%1' is not there any more and was taken from the list. It may have been moved or renamed.")
                        .arg(path),
                    {});
            });
        a->setToolTip(path);
    }
    if (m_recentMenu->isEmpty()) m_recentMenu->addAction(tr("None yet"))->setEnabled(false);
    m_recentMenu->addSeparator();
    m_recentMenu->addAction(tr("Clear the list"), this, [] { settings::clearRecentFiles(); });
}

void MainWindow::buildToolBar() {
    auto* bar = new QToolBar(tr("Tools"), this);
    bar->setObjectName("toolBar");
    bar->setMovable(false);
    bar->setContextMenuPolicy(Qt::PreventContextMenu);
    bar->setIconSize({16, 16});
    addToolBar(bar);
    setContextMenuPolicy(Qt::NoContextMenu);
    const auto button = [this, bar](const QString& id, bool hasText) {
        auto* b = new QToolButton(bar);
        QAction* a = m_commands.action(id);
        const Command* c = m_commands.find(id);
        b->setObjectName("button." + id);
        b->setDefaultAction(a);
        b->setToolButtonStyle(hasText ? Qt::ToolButtonTextOnly : Qt::ToolButtonIconOnly);
        b->setAccessibleName(c->text);
        b->setFocusPolicy(Qt::TabFocus);
        if (hasText) {
            b->setText(c->toolText);
            connect(a, &QAction::changed, b, [b, text = c->toolText] { b->setText(text); });
        }
        bar->addWidget(b);
        return b;
    };
    QToolButton* run = button("run.start", true);
    run->setProperty("primary", true);
    run->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    run->setIcon(icon("play", IconTone::OnAccent));
    run->setIconSize({14, 14});
    run->setMinimumWidth(80);
    connect(m_commands.action("run.start"), &QAction::changed, run,
            [run] { run->setIcon(icon("play", IconTone::OnAccent)); });
    for (const char* id : {"run.pause", "run.step", "run.cancel"}) button(id, false);
    bar->addSeparator();
    button("run.branch", true);
    button("run.compare", true);
    bar->addSeparator();
    auto* label = new QLabel(tr("Axis"), bar);
    label->setProperty("muted", true);
    label->setContentsMargins(2, 0, 6, 0);
    bar->addWidget(label);
    m_axis =
        new Segmented({tr("step"), QStringLiteral("σ"), tr("log SNR"), QStringLiteral("NFE"), QStringLiteral("ms")},
                      {tr("Plots over steps"), tr("Plots over the noise level"),
                       tr("Plots over log SNR, which links runs of other lengths"), tr("Plots over evaluations"),
                       tr("Plots over measured time")},
                      bar);
    m_axis->setCurrent(int(m_selection.axis()));
    connect(m_axis, &Segmented::chosen, this, [this](int i) { m_selection.setAxis(StepAxis(i)); });
    connect(&m_selection, &SelectionModel::axisChanged, this, [this] { m_axis->setCurrent(int(m_selection.axis())); });
    bar->addWidget(m_axis);
    auto* space = new QWidget(bar);
    space->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
    bar->addWidget(space);
    auto* search = new SearchButton(tr("Search commands and settings"), m_commands.keyText("help.palette"), bar);
    search->setObjectName("search");
    connect(search, &QAbstractButton::clicked, this, [this] { m_commands.trigger("help.palette"); });
    bar->addWidget(search);
}

}  // namespace meander::gui
