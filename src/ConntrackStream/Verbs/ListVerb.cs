using System.CommandLine;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Api;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Output;

namespace ConntrackStream.Service.Verbs;

/// <summary><c>list</c>: the table's flows, streamed; as <c>conntrack -L</c>.</summary>
internal static class ListVerb
{
    internal static Verb Create(CliContext context, SharedOptions shared)
    {
        FilterOptions filter = new();
        OutputOptions output = new();
        Verb verb = new("list", "Shows the flows in the connection table, as conntrack -L", """
              conntrack-stream list -p tcp --dport 443 --state ESTABLISHED
              conntrack-stream list -s 10.0.0.0/8 --any-nat -o extended,id
              conntrack-stream list --netns blue -o json | jq .src
              conntrack-stream list --live -o json     asks the running service, with flow ids
            """)
        {
            UsesConfiguration = parsed => parsed.GetValue(shared.Live) && parsed.GetValue(shared.Socket) is null,
        };
        verb.Add([.. filter.All, output.Option, shared.Namespace, shared.Live, shared.Socket]);
        verb.Validators.Add(shared.EitherLiveOrKernel);
        verb.SetAction(async (parsed, cancellation) =>
        {
            OutputFormat format = output.Read(parsed, context);
            long shown = parsed.GetValue(shared.Live)
                ? await ApiClient.ListAsync(
                    shared.SocketPath(parsed, context), filter.ToQuery(parsed), format, context.Output, cancellation).ConfigureAwait(false)
                : List(shared.OpenNamespace(parsed), filter.Read(parsed), format, context.Output, cancellation);
            context.Tell($"{shown} flow entries have been shown.");
            return ExitCode.Done;
        });
        return verb;
    }

    private static long List(
        NetworkNamespace networkNamespace, FlowFilter filter, OutputFormat format, Stream output, CancellationToken cancellation)
    {
        using NetworkNamespace opened = networkNamespace;
        LineOutput lines = new(output, format, networkNamespace.IsCurrent ? null : networkNamespace.Name);
        new WholeTable(networkNamespace).Read(
            filter.Family,
            (in FlowEvent entry) =>
            {
                if (filter.Matches(entry.Flow))
                    lines.Write(entry);
            },
            cancellation);
        lines.Flush();
        return lines.Lines;
    }
}
