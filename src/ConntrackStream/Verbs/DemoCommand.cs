using System.CommandLine;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Demo;
using ConntrackStream.Sinks.FlowLog;

namespace ConntrackStream.Service.Verbs;

/// <summary><c>demo</c> on the command line.</summary>
internal static class DemoCommand
{
    internal static Verb Create(CliContext context)
    {
        OutputOptions output = new();
        Verb verb = new("demo", "Shows the whole job on real flows in throw-away network namespaces; needs root, leaves nothing behind", """
              conntrack-stream demo
              conntrack-stream demo -o text
              conntrack-stream demo race               three ways to clean a policy agent's map, and what each cuts
              conntrack-stream demo 2>/dev/null | jq -c '{event, proto, src, dst, nat, tx_bytes}'
            """);
        verb.Add([output.Option]);
        verb.Subcommands.Add(DemoRaceCommand.Create(context));
        verb.SetAction(async (parsed, cancellation) =>
        {
            using Interruption interruption = new(cancellation);
            FlowLogFormat format = output.Read(parsed, context).IsText ? FlowLogFormat.Text : FlowLogFormat.Json;
            DemoWatcher watcher = new(format, context.Time);
            await using (watcher.ConfigureAwait(false))
            {
                DemoVerb demo = new(watcher, new UplinkDemo(format, context.Error, context.Time), context.Error, context.Time);
                return await demo.RunAsync(interruption.Token).ConfigureAwait(false) ? ExitCode.Done : ExitCode.Failed;
            }
        });
        return verb;
    }
}
