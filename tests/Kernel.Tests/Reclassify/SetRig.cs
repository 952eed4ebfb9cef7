using System.Diagnostics;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Sinks.Reclassify.Sets;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Kernel.Tests.Reclassify;

/// <summary>A namespace with sets, which ipset and nft make and look up, and classifiers over them.</summary>
internal sealed class SetRig : IDisposable
{
    private readonly KernelNamespace _kernel = new(track: false);

    internal SetRig() => Namespace = NetworkNamespace.OpenName(_kernel.Name);

    internal NetworkNamespace Namespace { get; }

    public void Dispose()
    {
        Namespace.Dispose();
        _kernel.Dispose();
    }

    /// <summary>A started classifier.</summary>
    internal Task<SetClassifier> StartAsync(RecordingHost host, TimeSpan interval, params string[] rules) =>
        StartAsync(host, interval, TimeProvider.System, rules);

    /// <summary>The same, by a clock of the test's.</summary>
    internal Task<SetClassifier> StartAsync(RecordingHost host, TimeSpan interval, TimeProvider time, params string[] rules) =>
        StartAsync(host, interval, [.. rules.Select(Rule)], time);

    /// <summary>The same, of rules that no text gives.</summary>
    internal async Task<SetClassifier> StartAsync(
        RecordingHost host, TimeSpan interval, IReadOnlyList<SetRule> rules, TimeProvider? time = null)
    {
        SetClassifier classifier = new(rules, Namespace, interval, time ?? TimeProvider.System, NullLogger.Instance);
        await classifier.StartAsync(host, TestContext.Current.CancellationToken);
        return classifier;
    }

    /// <summary>Runs commands of ipset in one process.</summary>
    internal void Ipset(string commands)
    {
        Requirements.Tool("ipset");
        ToolRun.Output("ip", ["netns", "exec", _kernel.Name, "ipset", "restore"], commands);
    }

    /// <summary>What <c>ipset test SET MEMBER</c> says of each member.</summary>
    internal bool[] IpsetTest(string set, IEnumerable<string> members)
    {
        string input = string.Concat(members.Select(member => $"test {set} {member}\n"));
        string[] lines = Converse(["ipset", "-"], input).Error;
        return [.. lines.Select(line => line.Contains("is in set", StringComparison.Ordinal)
            || (line.Contains("is NOT in set", StringComparison.Ordinal) ? false : throw new InvalidOperationException(line)))];
    }

    internal void Nft(string commands) => _kernel.Rules(commands);

    /// <summary>What <c>nft get element</c> says of each key.</summary>
    internal bool[] NftGet(string set, IReadOnlyList<string> keys)
    {
        string input = string.Concat(keys.Select(key => $"get element {set} {{ {key} }}\n"));
        HashSet<string> missing =
            [.. Converse(["nft", "-i"], input).Error.Where(line => line.StartsWith("get element", StringComparison.Ordinal))];
        return [.. keys.Select(key => !missing.Contains($"get element {set} {{ {key} }}"))];
    }

    internal static SetRule Rule(string text) =>
        SetRule.TryParse(text, out SetRule? rule, out string? error) ? rule : throw new InvalidOperationException(error);

    private (string Output, string[] Error) Converse(string[] command, string input)
    {
        using Process process = ToolRun.Start("ip", ["netns", "exec", _kernel.Name, .. command]);
        (_, string output, string error) = ToolRun.Finish(process, input);
        return (output, error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }
}
