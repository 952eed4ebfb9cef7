using ConntrackStream.Sinks.Reclassify.Act;
using ConntrackStream.Sinks.Reclassify.Decide;

namespace ConntrackStream.Sinks.Reclassify;

/// <summary>Reasons, outcomes and actions as logs, metrics and the command line call them: snake case.</summary>
internal static class ReclassifyNames
{
    private static readonly string[] Refusals = NamesOf<Refusal>(), Outcomes = NamesOf<ActionOutcome>(), Actions = NamesOf<FlowAction>();

    internal static string Of(Refusal refusal) => Refusals[(int)refusal];

    internal static string Of(ActionOutcome outcome) => Outcomes[(int)outcome];

    internal static string Of(FlowAction action) => Actions[(int)action];

    private static string[] NamesOf<T>()
        where T : struct, Enum =>
        [.. Enum.GetNames<T>().Select(static name => System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(name))];
}
