using System.Globalization;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Sinks.Files;
using ConntrackStream.Sinks.Reclassify.Chain;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.External;
using ConntrackStream.Sinks.Reclassify.Paths;
using ConntrackStream.Sinks.Reclassify.Reset;
using ConntrackStream.Sinks.Reclassify.Sets.Model;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Sinks.Reclassify.Setup;

/// <summary>
/// Reclassification: are the uplinks usable, do marks lead there, do flows carry them, are the sets there, and may flows be deleted.
/// </summary>
internal static class ReclassifyChecks
{
    /// <summary>Any destinations beyond the connected networks: documentation's own (RFC 5737, RFC 3849).</summary>
    private static readonly (FlowFamily Family, IpAddress Destination)[] Elsewhere =
    [
        (FlowFamily.IPv4, new IpAddress(0, 0xC000_0201)), // 192.0.2.1
        (FlowFamily.IPv6, new IpAddress(0x2001_0DB8_0000_0000, 1)), // 2001:db8::1
    ];

    /// <summary>Nothing while it is not enabled.</summary>
    internal static async Task<IEnumerable<CheckResult>> RunAsync(
        ReclassifyOptions options, IModuleHost host, CheckContext context, CancellationToken cancellation)
    {
        if (!options.Enabled)
            return [];
        CheckResult[] plugIn = options.Classifier is { } classifier
            ? [PluginCheck.Run(() => host.Plugins.Describe<IFlowClassifier>(ReclassifySetup.ClassifierKey, classifier))]
            : [];
        return context.CanAskKernel ? [.. await RunAsync(options, host, cancellation).ConfigureAwait(false), .. plugIn] : plugIn;
    }

    private static async Task<IReadOnlyList<CheckResult>> RunAsync(
        ReclassifyOptions reclassify, IModuleHost host, CancellationToken cancellation)
    {
        NetworkNamespace networkNamespace = host.Network;
        try
        {
            ReclassifyParts parts = ReclassifySetup.Create(
                reclassify, networkNamespace, host.Time, NullLoggerFactory.Instance, plugins: null);
            await using (parts.ConfigureAwait(false))
            {
                parts.TryResets();
                await parts.Classifiers.StartAsync(new ClassifyAnswers(), cancellation).ConfigureAwait(false);
                return
                [
                    .. parts.Faults.Select(Fault),
                    .. parts.Notes.Select(Note),
                    .. parts.Paths.Paths.Select(path => Uplink(path, parts.Routes)),
                    parts.Paths.Paths.Count == 0 ? NoPaths : Marks(parts.Paths, networkNamespace, cancellation),
                    .. (parts.Sets?.Sets ?? []).Select(Set),
                    Resets(parts.WhyNoReset),
                    Loose(parts.Kernel.IsTcpLoose()),
                    .. Program(reclassify.External),
                    Mode(reclassify.Mode),
                ];
            }
        }
        catch (Exception e) when (e is ConfigurationException or InvalidDataException or NetlinkException)
        {
            return [.. e.Message.Split('\n').Select(static fault => CheckResult.Fail("reclassify", fault, "see docs/reclassification.md"))];
        }
    }

    internal static CheckResult NoPaths { get; } = CheckResult.Fail(
        "paths", "no uplink is known: mwan3's and pbr's configuration have none", "name them in Reclassify:Paths, or see the notes above");

    internal static CheckResult Note(string note) =>
        CheckResult.Warn("import", note, "if it matters, say it in Reclassify:Sets or Reclassify:RuleFile, which are asked first");

    internal static CheckResult Fault(string fault) =>
        CheckResult.Fail(
            "import",
            fault,
            "say what it means in Reclassify:Sets or Reclassify:RuleFile, which are asked first, and take it out of a copy of the file");

    internal static CheckResult Set(SetStatus set) => set.State switch
    {
        SetState.Ready => CheckResult.Ok("set", string.Create(CultureInfo.InvariantCulture, $"{set.Rule}: {set.Type}, {set.Members} "
            + $"members, read in {set.LastReadTook?.TotalMilliseconds:F1} ms")),
        SetState.Waiting => CheckResult.Warn(
            "set",
            $"{set.Rule}: it does not exist in this network namespace and is waited for",
            "create it, or look for its name with: ipset list -n, nft list sets"),
        SetState.CannotMatch => CheckResult.Fail(
            "set", $"{set.Rule}: {set.Type}: {set.Problem}", "use a set of another type, or other directions after the @"),
        _ => CheckResult.Warn("set", $"{set.Rule}: {set.Problem}", "it is tried again; is the set's kernel module there?"),
    };

    internal static CheckResult Resets(string? whyNot) => whyNot is null
        ? CheckResult.Ok("resets", $"TCP clients can be reset (nftables table inet {ResetTable.Name})")
        : CheckResult.Warn(
            "resets",
            $"translated TCP connections are left where they are: TCP clients cannot be reset: {whyNot}",
            "load nft_reject_inet and nft_ct (OpenWrt: kmod-nft-core), give CAP_NET_ADMIN, and remove a left table of that name");

    internal static CheckResult Loose(bool isLoose) => isLoose
        ? CheckResult.Ok("tcp_loose", "nf_conntrack_tcp_loose is 1: connections in a flow table can be moved")
        : CheckResult.Ok(
            "tcp_loose",
            "nf_conntrack_tcp_loose is 0: untranslated TCP connections in a flow table are left where they are, all others are moved");

    internal static CheckResult Mode(ReclassifyMode mode) => mode == ReclassifyMode.Act
        ? CheckResult.Ok("reclassify", "flows are moved (Reclassify:Mode is act)")
        : CheckResult.Ok("reclassify", "dry run: decisions are only logged; Reclassify:Mode=act moves flows");

    internal static CheckResult Marks(long flows, long marked, long translated) => (flows, marked + translated) switch
    {
        (0, _) => CheckResult.Ok("paths", "no flows at the moment"),
        (_, 0) => CheckResult.Warn(
            "paths",
            string.Create(CultureInfo.InvariantCulture, $"none of {flows} flows carries a path's mark or translated address"),
            "is it the right network namespace, are marks and masks those of the rules (nft list ruleset, mmx_mask), are the devices "
                + "named?"),
        _ => CheckResult.Ok("paths", string.Create(CultureInfo.InvariantCulture, $"of {flows} flows, {translated} are on a path by their "
            + $"translated address, {marked} by their mark")),
    };

    private static CheckResult Marks(PathTable paths, NetworkNamespace networkNamespace, CancellationToken cancellation)
    {
        long flows = 0, marked = 0, translated = 0;
        using ConntrackClient client = networkNamespace.Run(static () => new ConntrackClient());
        client.Dump(FlowFamily.Unspecified, new FlowBatchPool(), batch =>
        {
            foreach (ref readonly FlowEvent row in batch.Span)
            {
                flows++;
                PathEvidence evidence = paths.Of(row.Flow).Evidence;
                marked += evidence == PathEvidence.Mark ? 1 : 0;
                translated += evidence == PathEvidence.SourceAddress ? 1 : 0;
            }

            batch.Release();
        }, cancellation);
        return Marks(flows, marked, translated);
    }

    /// <summary>A path is good if a packet with its mark, of one family at least, leaves by one of its devices.</summary>
    private static CheckResult Uplink(UplinkPath path, RouteQuestions routes)
    {
        List<string> problems = [];
        foreach ((FlowFamily family, IpAddress destination) in Elsewhere)
        {
            if (!path.Carries(family))
                continue;
            if (path.WhyUnknown is { } unknown)
                return CheckResult.Warn(
                    "path",
                    $"{path.Name}: {unknown}; no flow is moved there",
                    $"name its device in Reclassify:Paths, such as \"{path.Name} dev=wwan0\"");
            if (!routes.IsUsable(path, family, out string? why))
                problems.Add(why!);
            else if (path.Mark is not { } mark || Leads(routes.Lookup(family, destination, mark.Value), path, routes))
                return CheckResult.Ok("path", $"{path.Name}: usable{(path.Mark is null ? "" : $", and mark {path.Mark} leads there")}");
            else
            {
                string ways = path.Devices.Count == 0 ? "any route" : string.Join(" or ", path.Devices);
                problems.Add($"{family} packets with mark {mark} do not leave by {ways}");
            }
        }

        return CheckResult.Warn(
            "path",
            $"{path.Name}: {string.Join("; ", problems.Distinct(StringComparer.Ordinal))}",
            "no flow is moved there meanwhile; see ip link, ip rule, ip route show table all");
    }

    private static bool Leads(in RouteAnswer answer, UplinkPath path, RouteQuestions routes)
    {
        int index = answer.Interface;
        return answer.Leads && (path.Devices.Count == 0 || path.Devices.Any(device => routes.Link(device).Index == index));
    }

    private static IEnumerable<CheckResult> Program(ExternalOptions external)
    {
        if (external.Command is not [string program, ..])
            yield break;
        yield return RootOwned.Problem(program) is { } problem
            ? CheckResult.Fail("external", $"Reclassify:External:Command: {program} {problem}", "see docs/plugins.md")
            : CheckResult.Ok("external", $"{program}, run as {external.User}");
    }
}
