using System.CommandLine;
using ConntrackStream.Service.Cli;

namespace ConntrackStream.Service.Verbs.Map;

/// <summary><c>map</c>: what concerns the eBPF conntrack map, without the service.</summary>
internal static class MapCommand
{
    internal static Verb Create(CliContext context, SharedOptions shared)
    {
        Verb verb = new("map", "Looks into the eBPF conntrack map beside the kernel's table, or cleans it once", """
              conntrack-stream map show                  each entry with its flow
              conntrack-stream map audit                 what is stale, and would go
              conntrack-stream map audit --delete        and goes
            """);
        MapOption map = new();
        verb.Subcommands.Add(MapShowVerb.Create(context, shared, map));
        verb.Subcommands.Add(MapAuditVerb.Create(context, shared, map));
        return verb;
    }
}
