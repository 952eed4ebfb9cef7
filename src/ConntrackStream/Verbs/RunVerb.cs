using System.CommandLine;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Hosting;
using ConntrackStream.Service.Options;

namespace ConntrackStream.Service.Verbs;

/// <summary><c>run</c>: the service.</summary>
internal static class RunVerb
{
    internal static Verb Create(CliContext context, SharedOptions shared)
    {
        Verb verb = new("run", "Runs the service: live view, flow log, HTTP interface", """
              conntrack-stream run                                   flow log on standard output
              conntrack-stream run --set FlowLog:Path=/var/log/flows.json --set FlowLog:Rotation:Compress=true
              conntrack-stream run --netns blue --track              and activate tracking there while it runs
              conntrack-stream run --set Map:Path=/sys/fs/bpf/globals/aws/maps/global_aws_conntrack_map      and say what is stale in it (Map:Mode)
              conntrack-stream run --set Reclassify:Enabled=true --set Reclassify:Mwan3Config=/etc/config/mwan3      and say which flows are on the wrong uplink (Reclassify:Mode)
              CONNTRACKSTREAM__Logging__Level=debug conntrack-stream run
            Signals: SIGTERM and SIGINT end it in order, SIGHUP reopens the flow log and reads the log level and Reclassify:RuleFile again.
            """)
        {
            UsesConfiguration = static _ => true,
        };
        Option<bool> track = new("--track")
        {
            Description = "Activate connection tracking in the namespace while the service runs (Tap:Track)",
        };
        verb.Add([shared.Namespace, track]);
        verb.SetAction((parsed, cancellation) =>
        {
            ServiceOptions Load()
            {
                ServiceOptions options = OptionsLoader.Load(shared.Sources(parsed, context));
                options.Tap.NetworkNamespace = parsed.GetValue(shared.Namespace) ?? options.Tap.NetworkNamespace;
                options.Tap.Track |= parsed.GetValue(track);
                return options;
            }

            return ServiceHost.RunAsync(Load(), Load, context, cancellation);
        });
        return verb;
    }
}
