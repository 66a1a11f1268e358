#include "gui/look/theme.h"

#include <QApplication>
#include <QPalette>
#include <QStyle>
#include <QStyleFactory>

#include "gui/look/style_sheet.h"

namespace meander::gui {
namespace {

Theme g_theme = Theme::darkTheme();
double g_fontScale = 1.0;

#ifdef Q_OS_MACOS
constexpr double basePoints = 12.5;  // 72 dots per inch
#else
constexpr double basePoints = 9.5;  // 96 dots per inch
#endif

// QStyleHints::colorScheme is younger than Qt 6.4: the lightness of the palette the platform gave us tells.
bool systemIsDark() {
    static const bool dark = [] {
        const QPalette p = qApp->palette();
        return p.color(QPalette::Window).lightnessF() < p.color(QPalette::WindowText).lightnessF();
    }();
    return dark;
}

QPalette paletteOf(const Theme& t) {
    QPalette p;
    p.setColor(QPalette::Window, t.panel);
    p.setColor(QPalette::WindowText, t.text);
    p.setColor(QPalette::Base, t.raised);
    p.setColor(QPalette::AlternateBase, t.panel);
    p.setColor(QPalette::Text, t.text);
    p.setColor(QPalette::Button, t.raised);
    p.setColor(QPalette::ButtonText, t.text);
    p.setColor(QPalette::BrightText, t.danger);
    p.setColor(QPalette::ToolTipBase, t.raised);
    p.setColor(QPalette::ToolTipText, t.text);
    p.setColor(QPalette::PlaceholderText, t.dim);
    p.setColor(QPalette::Highlight, t.accent);
    p.setColor(QPalette::HighlightedText, t.onAccent);
    p.setColor(QPalette::Link, t.accent);
    p.setColor(QPalette::Light, t.raised);
    p.setColor(QPalette::Midlight, t.line);
    p.setColor(QPalette::Mid, t.line);
    p.setColor(QPalette::Dark, t.background);
    p.setColor(QPalette::Shadow, t.background);
    for (auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
        p.setColor(QPalette::Disabled, role, t.dim);
    return p;
}

Theme themeFor(ThemeChoice choice) {
    const bool dark = choice == ThemeChoice::System ? systemIsDark() : (systemIsDark(), choice == ThemeChoice::Dark);
    return dark ? Theme::darkTheme() : Theme::lightTheme();
}

}  // namespace

Theme Theme::darkTheme() {
    Theme t;
    t.dark = true;
    t.background = "#16181d", t.panel = "#1d2026", t.raised = "#262a32", t.line = "#323843";
    t.text = "#e6e9ef", t.muted = "#9aa3b2", t.dim = "#6b7482";
    t.accent = "#4cc2b4", t.onAccent = "#06211d";
    t.warning = "#f2a65a", t.danger = "#f07178";
    t.token = "#fde725", t.tokenBackground = "#4a4417";
    t.runs = {QColor("#4cc2b4"), QColor("#f2a65a"), QColor("#8aa4ff"), QColor("#d68bd6"),
              QColor("#9ccc65"), QColor("#f07178"), QColor("#63c7f2"), QColor("#d9c86a")};
    return t;
}

Theme Theme::lightTheme() {
    Theme t;
    t.dark = false;
    t.background = "#eceef2", t.panel = "#f8f9fb", t.raised = "#ffffff", t.line = "#d3d8e0";
    t.text = "#1c2129", t.muted = "#566072", t.dim = "#7b8697";
    t.accent = "#0f8b7e", t.onAccent = "#ffffff";
    t.warning = "#b85c00", t.danger = "#c0333c";
    t.token = "#6b5900", t.tokenBackground = "#fff4b8";
    t.runs = {QColor("#0f8b7e"), QColor("#b85c00"), QColor("#3d5bd9"), QColor("#9b3fa0"),
              QColor("#4c7a12"), QColor("#c0333c"), QColor("#0b75a8"), QColor("#7d6a00")};
    return t;
}

const Theme& theme() { return g_theme; }

bool changesStyleSheet(ThemeChoice choice) { return styleSheet(themeFor(choice)) != qApp->styleSheet(); }

void applyTheme(ThemeChoice choice, double fontScale) {
    g_theme = themeFor(choice);
    g_fontScale = std::clamp(fontScale, 0.8, 2.0);
    if (qApp->styleSheet().isEmpty()) qApp->setStyle(QStyleFactory::create("Fusion"));  // once: it is slow
    qApp->setFont(interfaceFont());
    const QString sheet = styleSheet(g_theme);
    if (sheet == qApp->styleSheet()) return;  // another text size only: a new sheet would go through all widgets
    qApp->setPalette(paletteOf(g_theme));
    qApp->setStyleSheet(sheet);
}

QFont interfaceFont(double points, bool semibold) {
    QFont f("Inter");
    f.setStyleHint(QFont::SansSerif);
    f.setPointSizeF((points > 0 ? points : basePoints) * g_fontScale);
    f.setWeight(semibold ? QFont::DemiBold : QFont::Normal);
    f.setHintingPreference(QFont::PreferNoHinting);
    return f;
}

QFont numberFont(double points) {
    QFont f("JetBrains Mono");
    f.setStyleHint(QFont::Monospace);
    f.setPointSizeF((points > 0 ? points : basePoints * 0.96) * g_fontScale);
    f.setHintingPreference(QFont::PreferNoHinting);
    return f;
}

QFont headFont() {
    QFont f = interfaceFont(basePoints * 0.83, true);
    f.setCapitalization(QFont::AllUppercase);
    f.setLetterSpacing(QFont::PercentageSpacing, 105);
    return f;
}

}  // namespace meander::gui
