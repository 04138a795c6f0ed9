// What a toast says to the owner. See messages.h.
#pragma once
#include <array>

#include "base/message.h"

namespace honeylink::telemetry {

inline constexpr auto kAlertMessages = std::to_array<Message>({
    {"alert.ok", {"OK", "正常", "Correcto", "正常"}},
    {"alert.yellow", {"Yellow", "黄", "Amarillo", "黄色"}},
    {"alert.orange", {"Orange", "橙", "Naranja", "橙色"}},
    {"alert.red", {"Red", "赤", "Rojo", "红色"}},
    {"alert.test", {"(test alert)", "(テスト通知)", "(alerta de prueba)", "（测试告警）"}},
    {"alert.burn",
     {"error budget burns {0}", "エラーバジェット消費速度 {0}", "consumo del presupuesto de error {0}",
      "错误预算消耗速度 {0}"}},
    {"alert.since", {"since {0}", "{0} から", "desde {0}", "自 {0} 起"}},
    {"alert.over", {"over after {0}", "{0}で収束", "terminó tras {0}", "持续 {0} 后恢复"}},
    {"alert.show_trace", {"Show trace", "トレースを表示", "Ver traza", "查看追踪"}},
    {"alert.seconds", {"{0} s", "{0} 秒", "{0} s", "{0} 秒"}},
    {"alert.minutes", {"{0} min {1} s", "{0} 分 {1} 秒", "{0} min {1} s", "{0} 分 {1} 秒"}},
    {"alert.hours", {"{0} h {1} min", "{0} 時間 {1} 分", "{0} h {1} min", "{0} 小时 {1} 分"}},
});

}  // namespace honeylink::telemetry
