// The tables of schedules and of operators, from schedules/list.inl and operators/list.inl: one file and one line each.
#include "engine/core/switched.h"
#include "engine/schedule/schedule.h"

namespace meander {

namespace schedule {
#define SCHEDULE(name) ScheduleInfo name();
#include "engine/schedule/schedules/list.inl"
#undef SCHEDULE
}  // namespace schedule

namespace schedule_operator {
#define OPERATOR(name) ScheduleOperatorInfo name();
#include "engine/schedule/operators/list.inl"
#undef OPERATOR
}  // namespace schedule_operator

const std::vector<ScheduleInfo>& schedules() {
    static const std::vector<ScheduleInfo> table = {
#define SCHEDULE(name) schedule::name(),
#include "engine/schedule/schedules/list.inl"
#undef SCHEDULE
    };
    return table;
}

const std::vector<ScheduleOperatorInfo>& scheduleOperators() {
    static const std::vector<ScheduleOperatorInfo> table = [] {
        std::vector<ScheduleOperatorInfo> rows = {
#define OPERATOR(name) schedule_operator::name(),
#include "engine/schedule/operators/list.inl"
#undef OPERATOR
        };
        for (ScheduleOperatorInfo& row : rows) row.params.push_back(enabledParam());
        return rows;
    }();
    return table;
}

const ScheduleInfo* findSchedule(const std::string& id) {
    for (const auto& s : schedules())
        if (s.id == id) return &s;
    return nullptr;
}

const ScheduleOperatorInfo* findScheduleOperator(const std::string& id) {
    for (const auto& o : scheduleOperators())
        if (o.id == id) return &o;
    return nullptr;
}

}  // namespace meander
