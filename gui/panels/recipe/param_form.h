// The one form builder: rows for any list of parameters that describe themselves.
#pragma once
#include <QPushButton>
#include <functional>
#include <QVBoxLayout>
#include <QWidget>
#include <map>

#include "engine/core/params.h"
#include "gui/widgets/fields.h"

namespace meander::gui {

class ParamForm : public QWidget {
    Q_OBJECT
public:
    explicit ParamForm(QWidget* parent = nullptr);
    // Rebuilds only when the list is another one (`owner` tells).
    void setSpecs(const std::string& owner, const std::vector<ParamSpec>& specs);
    // Missing ones show their default.
    void setValues(const Params& values);
    // What the values are compared to; null: nothing.
    void setReference(const Params* reference);
    QWidget* field(const std::string& key) const;
    const std::vector<ParamSpec>& specs() const { return m_specs; }

signals:
    void edited(const std::string& key, const meander::ParamValue& value);

private:
    struct Entry {
        FormRow* row = nullptr;
        std::function<void(const ParamValue&)> show;
    };
    QWidget* makeField(const ParamSpec& spec, Entry& entry);
    QWidget* makeInteger(const ParamSpec& spec, Entry& entry);
    QWidget* makeReal(const ParamSpec& spec, Entry& entry);
    QWidget* makeChoice(const ParamSpec& spec, Entry& entry);
    QWidget* makeText(const ParamSpec& spec, Entry& entry);
    ParamValue valueOf(const ParamSpec& spec, const Params& params) const;

    std::string m_owner;
    std::vector<ParamSpec> m_specs;
    std::map<std::string, Entry> m_entries;
    Params m_values;
    bool m_showing = false;  // widgets are being filled, nobody edits
    QVBoxLayout* m_box;
    QWidget* m_advanced = nullptr;
};

}  // namespace meander::gui
