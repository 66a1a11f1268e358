// Colours, type and measures: the tokens of the visual direction, for style sheet, palette and painters. Paint code
// asks `theme()`; widgets repaint on QEvent::PaletteChange.
#pragma once
#include <QColor>
#include <QFont>
#include <QString>
#include <array>

namespace meander::gui {

struct Theme {
    bool dark = true;
    QColor background, panel, raised, line;
    QColor text, muted, dim;
    QColor accent, onAccent;
    QColor warning, danger;
    QColor token, tokenBackground;
    std::array<QColor, 8> runs;  // colour of run i % 8; always with a dash and a marker too

    static Theme darkTheme();
    static Theme lightTheme();
};

enum class ThemeChoice { System, Dark, Light };

const Theme& theme();
// Sets palette, style sheet and fonts of the application.
void applyTheme(ThemeChoice choice, double fontScale = 1.0);
bool changesStyleSheet(ThemeChoice choice);  // false: another text size only
void loadFonts();                            // Inter and JetBrains Mono from the resources

QFont interfaceFont(double points = 0, bool semibold = false);  // 0: the base size
QFont numberFont(double points = 0);
QFont headFont();  // section heads: small, upper case

namespace metrics {
inline constexpr int grid = 4, panelPadding = 12, rowHeight = 26, rowGap = 6, fieldRadius = 4, buttonRadius = 5,
                     cardRadius = 6;
}

}  // namespace meander::gui
