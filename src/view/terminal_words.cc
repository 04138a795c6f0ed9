// The words of the terminal view: see terminal_words.h.
#include "view/terminal_words.h"

#include <array>

namespace honeylink::telemetry::view {
namespace {

using Row = std::array<std::string_view, 4>;
// In the order of Word.
constexpr std::array<Row, static_cast<std::size_t>(Word::count_)> kWords{{
    {"no engine: honeytel agent", "エンジンなし: honeytel agent", "sin motor: honeytel agent",
     "无引擎: honeytel agent"},
    {"engine", "エンジン", "motor", "引擎"},
    {"programs", "プログラム", "programas", "程序"},
    {"in ring", "リング内", "en anillo", "环内"},
    {"dropped", "破棄", "perdidos", "丢弃"},
    {"newest", "最新", "último", "最新"},
    {"LIVE", "ライブ", "EN VIVO", "实时"},
    {"PAUSED", "一時停止", "PAUSA", "已暂停"},
    {"new", "件の新着", "nuevos", "条新"},
    {"a file, not live", "ファイル（ライブではない）", "un archivo, no en vivo", "文件，非实时"},
    {"OK", "正常", "OK", "正常"},
    {"YELLOW", "黄", "AMARILLO", "黄色"},
    {"ORANGE", "橙", "NARANJA", "橙色"},
    {"RED", "赤", "ROJO", "红色"},
    {"NO DATA", "データなし", "SIN DATOS", "无数据"},
    {"budget", "予算", "margen", "预算"},
    {"burn", "消費率", "consumo", "消耗率"},
    {"of", "/", "de", "/"},
    {"objective", "目標", "objetivo", "目标"},
    {"rate", "頻度", "ritmo", "速率"},
    {"breaches", "超過", "excesos", "超限"},
    {"distribution", "分布", "distribución", "分布"},
    {"slowest", "最も遅い", "los más lentos", "最慢"},
    {"SLIs", "SLI", "SLI", "SLI"},
    {"Traces", "トレース", "Trazas", "追踪"},
    {"Logs", "ログ", "Registros", "日志"},
    {"Alerts", "アラート", "Alertas", "告警"},
    {"start", "開始", "inicio", "开始"},
    {"duration", "所要時間", "duración", "耗时"},
    {"spans", "スパン", "tramos", "跨度"},
    {"errors", "エラー", "errores", "错误"},
    {"root", "ルート", "raíz", "根"},
    {"service", "サービス", "servicio", "服务"},
    {"since", "発生", "desde", "开始于"},
    {"level", "レベル", "nivel", "级别"},
    {"value", "値", "valor", "值"},
    {"threshold", "しきい値", "umbral", "阈值"},
    {"trace", "トレース", "traza", "追踪"},
    {"told in", "通知", "avisado en", "通知用时"},
    {"fires", "発報中", "activa", "触发中"},
    {"cleared", "解消", "resuelta", "已解除"},
    {"error", "エラー", "error", "错误"},
    {"unfinished: its process died", "未完了: プロセスが終了", "inacabado: su proceso murió", "未完成：进程已终止"},
    {"its parent is not stored", "親が保存されていない", "su padre no está guardado", "父跨度未保存"},
    {"critical path", "クリティカルパス", "ruta crítica", "关键路径"},
    {"self", "自身", "propio", "自身"},
    {"newest first", "新しい順", "primero los últimos", "最新在前"},
    {"follows", "追従中", "sigue", "跟随"},
    {"filter", "絞り込み", "filtro", "筛选"},
    {"showing", "表示", "se ven", "显示"},
    {"no service level is defined", "サービスレベルが定義されていない", "no hay niveles de servicio definidos",
     "未定义服务级别"},
    {"no traces here yet", "トレースはまだない", "aún no hay trazas", "尚无追踪"},
    {"no log lines here yet", "ログはまだない", "aún no hay registros", "尚无日志"},
    {"no alerts: nothing was over its limit", "アラートなし: 超過はなかった", "sin alertas: nada pasó su límite",
     "无告警：没有超限"},
    {"honeytel demo makes some", "honeytel demo で作れます", "honeytel demo crea algunos",
     "运行 honeytel demo 即可生成"},
    {"reading", "読み込み中", "leyendo", "读取中"},
    {"nothing matches the filter", "絞り込みに合うものがない", "nada pasa el filtro", "没有符合筛选的内容"},
    {"traces", "トレース", "trazas", "追踪"},
    {"logs", "ログ", "registros", "日志"},
    {"alerts", "アラート", "alertas", "告警"},
    {"help", "ヘルプ", "ayuda", "帮助"},
    {"quit", "終了", "salir", "退出"},
    {"back", "戻る", "atrás", "返回"},
    {"open", "開く", "abrir", "打开"},
    {"filter", "絞り込み", "filtrar", "筛选"},
    {"zoom", "拡大", "ampliar", "缩放"},
    {"find", "検索", "buscar", "查找"},
    {"Keys", "キー", "Teclas", "按键"},
    {"enlarge a panel; 0 shows all", "パネルを拡大、0 で全体", "amplía un panel; 0 los muestra todos",
     "放大面板；0 显示全部"},
    {"open what is selected", "選択したものを開く", "abre lo seleccionado", "打开所选"},
    {"back", "戻る", "atrás", "返回"},
    {"down, up", "下、上", "abajo, arriba", "下、上"},
    {"first, last", "先頭、末尾", "primero, último", "首、末"},
    {"a page down, up", "1 ページ下、上", "página abajo, arriba", "下一页、上一页"},
    {"traces; Enter opens the waterfall", "トレース、Enter でウォーターフォール", "trazas; Enter abre la cascada",
     "追踪；Enter 打开瀑布图"},
    {"logs, as they come", "ログ（追従）", "registros, según llegan", "日志（实时）"},
    {"alerts; Enter opens the trace", "アラート、Enter でトレース", "alertas; Enter abre la traza",
     "告警；Enter 打开追踪"},
    {"pause, go on", "一時停止、再開", "pausa, continúa", "暂停、继续"},
    {"filter; in a trace: find", "絞り込み、トレース内では検索", "filtrar; en una traza: buscar", "筛选；追踪内为查找"},
    {"next, previous match", "次、前の一致", "siguiente, anterior", "下一个、上一个匹配"},
    {"zoom in and out, left and right", "拡大・縮小、左右", "ampliar, reducir, izquierda, derecha",
     "放大缩小、左右移动"},
    {"copy the command that gives the same", "同じ結果のコマンドをコピー", "copia la orden que da lo mismo",
     "复制得到相同结果的命令"},
    {"quit", "終了", "salir", "退出"},
    {"filters: errors, slow, min=100ms, name=N; logs: level=warn, trace=ID, a pattern",
     "絞り込み: errors, slow, min=100ms, name=N、ログ: level=warn, trace=ID, 正規表現",
     "filtros: errors, slow, min=100ms, name=N; registros: level=warn, trace=ID, un patrón",
     "筛选：errors, slow, min=100ms, name=N；日志：level=warn, trace=ID, 正则"},
    {"to the clipboard, where the terminal lets it:", "クリップボードへ（端末が許せば）:",
     "al portapapeles, si el terminal lo permite:", "已送至剪贴板（若终端允许）："},
    {"the same:", "同じ結果:", "lo mismo:", "相同结果："},
    {"nothing found", "見つからない", "nada encontrado", "未找到"},
    {"it names no trace", "トレースがない", "no nombra ninguna traza", "没有对应的追踪"},
    {"too small", "小さすぎます", "demasiado pequeño", "窗口太小"},
}};

}  // namespace

std::string_view word(Word word, Tongue tongue) noexcept {
  return kWords[static_cast<std::size_t>(word)][static_cast<std::size_t>(tongue)];
}

Tongue tongue_of(std::string_view locale) noexcept {
  const std::string_view language = locale.substr(0, 2);
  const bool whole =
      locale.size() == 2 ||
      (locale.size() > 2 && (locale[2] == '_' || locale[2] == '.' || locale[2] == '-' || locale[2] == '@'));
  if (!whole) return Tongue::en;
  return language == "ja" ? Tongue::ja : language == "es" ? Tongue::es : language == "zh" ? Tongue::zh : Tongue::en;
}

}  // namespace honeylink::telemetry::view
