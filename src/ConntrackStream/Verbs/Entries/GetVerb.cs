using System.CommandLine;
using System.CommandLine.Parsing;
using System.Diagnostics.CodeAnalysis;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Output;
using ConntrackStream.Sinks.Filtering;

namespace ConntrackStream.Service.Verbs.Entries;

/// <summary>
/// <c>get</c>: one flow by its tuple in either direction, as <c>conntrack -G</c>; the kernel looks it up, no table is read.
/// </summary>
internal static class GetVerb
{
    internal static Verb Create(CliContext context, SharedOptions shared)
    {
        FilterOptions tuple = new(FilterScope.Life);
        OutputOptions output = new();
        Verb verb = new("get", "Looks one flow up by the addresses and ports of a packet, as conntrack -G", """
              conntrack-stream get -p tcp -s 10.0.0.5 -d 192.0.2.7 --sport 40000 --dport 443
              conntrack-stream get -p udp -s 192.0.2.53 -d 203.0.113.1 --sport 53 --dport 1024     a reply, as it comes back
              conntrack-stream get -p icmp -s 10.0.0.5 -d 192.0.2.7 --icmp-type 8 --icmp-code 0 --icmp-id 77 -w 3
            Either direction will do, also as NAT left it. Exit code 1 when there is no such flow.
            """);
        string[] keys =
        [
            "--proto", "--src", "--dst", "--sport", "--dport", "--icmp-type", "--icmp-code", "--icmp-id", "--srckey", "--dstkey", "--zone",
            "--id",
        ];
        verb.Add([.. tuple.All.Where(option => keys.Contains(option.Name, StringComparer.Ordinal)), output.Option, shared.Namespace]);
        verb.Validators.Add(result =>
        {
            if (!tuple.All.SelectMany(option => result.GetResult(option)?.Errors ?? []).Any()
                && !TryTuple(tuple.Read(result), out _, out string? problem))
                result.AddError($"get: {problem}");
        });
        verb.SetAction((parsed, _) => Task.FromResult(Run(
            shared.OpenNamespace(parsed), tuple.Read(parsed), output.Read(parsed, context), context)));
        return verb;
    }

    private static int Run(NetworkNamespace networkNamespace, FlowFilter filter, OutputFormat format, CliContext context)
    {
        using NetworkNamespace opened = networkNamespace;
        using ConntrackClient client = networkNamespace.Run(static () => new ConntrackClient());
        TryTuple(filter, out FlowTuple tuple, out _);
        FlowBatch found = new();
        if (!client.TryGet(tuple, found) || (!filter.Ids.IsEmpty && !filter.Ids.Contains(found.Span[0].Flow.Id)))
        {
            context.Fail($"there is no flow {TupleText.Describe(tuple)}");
            return ExitCode.Failed;
        }

        LineOutput lines = new(context.Output, format, networkNamespace.IsCurrent ? null : networkNamespace.Name);
        lines.Write(found.Span[0]);
        lines.Finish();
        return ExitCode.Done;
    }

    /// <summary>The one tuple that a filter names.</summary>
    internal static bool TryTuple(FlowFilter filter, out FlowTuple tuple, [NotNullWhen(false)] out string? problem)
    {
        tuple = default;
        if (filter is not { Protocols: [var protocol], Sources: [var source], Destinations: [var destination] }
            || !IsWhole(source) || !IsWhole(destination) || source.Family != destination.Family)
        {
            problem = "needs one protocol, one source and one destination address: -p, -s, -d";
            return false;
        }

        tuple = new FlowTuple
        {
            Family = source.Family,
            Protocol = protocol,
            Source = source.Network,
            Destination = destination.Network,
            Zone = filter.Zones is [var zone, ..] ? zone : (ushort)0,
        };
        if (tuple.IsIcmp)
        {
            if (filter is not { IcmpTypes: [var type], IcmpCodes: [var code], IcmpIds: [var id] })
            {
                problem = "a flow of ICMP has one type, code and id: --icmp-type, --icmp-code, --icmp-id";
                return false;
            }

            (tuple.SourcePort, tuple.DestinationPort) = (id, (ushort)(type << 8 | code));
        }
        else if (protocol.HasPortsOrKeys())
        {
            if (filter is not { SourcePorts: [var from], DestinationPorts: [var to] } || from.First != from.Last || to.First != to.Last)
            {
                problem = protocol == IpProtocol.Gre
                    ? "a flow of GRE has one key at each end: --srckey, --dstkey"
                    : $"a flow of {protocol.Name()} has one port at each end: --sport, --dport";
                return false;
            }

            (tuple.SourcePort, tuple.DestinationPort) = (from.First, to.First);
        }

        problem = filter.Zones.Length > 1 ? "a flow is looked up in one zone" : null;
        return problem is null;
    }

    private static bool IsWhole(IpPrefix prefix) => prefix.Length == (prefix.Family == FlowFamily.IPv4 ? 32 : 128);
}
