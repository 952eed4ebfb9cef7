using System.Globalization;

namespace ConntrackStream.Sinks.MapCleaning.NpaLog;

/// <summary>What was found in the agent's log, and of its deletes in the flow log.</summary>
/// <param name="Source">The log's name, for the reader.</param>
/// <param name="FlowRecords">Records of the flow log; null without one: then no delete is judged.</param>
internal sealed record NpaFindings(string Source, NpaLogReader Log, CycleSchedule Schedule, TimeSpan Period, long? FlowRecords)
{
    /// <summary>Deletes that hit a living flow, or may have.</summary>
    internal IEnumerable<NpaDelete> Hits => Log.Deletes.Where(static delete => delete.Verdict is Verdict.Alive or Verdict.Possibly);

    internal long Deletes => Log.Cycles.Sum(static cycle => cycle.Deletes);

    /// <summary>Deletes whose keys are not in the log: an agent may write them at debug level only.</summary>
    internal long DeletesNotLogged => Log.Cycles.Sum(static cycle => Math.Max(0, cycle.Deletes - cycle.LoggedDeletes));

    /// <summary>Of each cycle that cleaned.</summary>
    internal Spread? DeletesPerCycle =>
        Spread.Of(Log.Cycles.Where(static cycle => cycle.Kind == NpaCycleKind.Cleaned).Select(static cycle => cycle.Deletes));

    /// <summary>null when no living flow was hit for certain.</summary>
    internal string? Advice => Count(Verdict.Alive) == 0
        ? null
        : "the agent deletes living flows: raise its --conntrack-cache-cleanup-period and let this service clean the map (Map:Path), which "
        + "asks the kernel before each delete";

    internal long Count(Verdict verdict) => Log.Deletes.LongCount(delete => delete.Verdict == verdict);

    /// <summary>Why a log may show no cleanup; for the reader of an error.</summary>
    internal static string WhyNothing(NpaLogReader log) => string.Create(
        CultureInfo.InvariantCulture,
        $"no line of conntrack cleanup in {log.Lines} lines ({log.Malformed} of them could not be read, {log.Mentions} speak of it in a "
            + $"form not known here). Either")
        + """

            - no cleanup fell into this period: the agent runs it each half of --conntrack-cache-cleanup-period (300 s unless set: every 150 s);
            - or its log level hides it: cycles are logged at level info, by some builds each delete at level debug only (--log-level);
            - or this is not the agent's log: that is /var/log/aws-routed-eni/network-policy-agent.log on the node, or, where it logs to stdout,
              kubectl logs -n kube-system -c aws-eks-nodeagent aws-node-…
          """;
}
