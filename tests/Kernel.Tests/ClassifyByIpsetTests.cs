using System.Collections.Concurrent;
using System.Net;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.External;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Kernel.Tests;

/// <summary>The sample in shell, asked by the service, looks into real sets.</summary>
public sealed class ClassifyByIpsetTests : IClassifierHost
{
    private readonly ConcurrentDictionary<FlowQuestion, Verdict> _answers = new();

    [Theory]
    [InlineData("203.0.113.7", 0x100u, "lte")] // in app_1, which is lte's
    [InlineData("2001:db8::7", 0x100u, "lte")]
    [InlineData("198.51.100.7", 0x210u, "wan")] // bits beside the mask do not count
    public async Task A_flow_on_another_path_than_its_set_s_is_to_move(string destination, uint mark, string path)
    {
        Verdict verdict = await AskAsync(destination, mark);
        Assert.Equal((VerdictKind.Path, path, TimeSpan.FromSeconds(10)), (verdict.Kind, verdict.Path, verdict.ValidFor));
        Assert.StartsWith("ipset app_", verdict.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("203.0.113.7", 0x200u, VerdictKind.Keep)] // on lte already
    [InlineData("192.0.2.1", 0x100u, VerdictKind.None)] // in no set
    public async Task Others_stay(string destination, uint mark, VerdictKind kind) =>
        Assert.Equal(kind, (await AskAsync(destination, mark)).Kind);

    void IClassifierHost.Reconsider(in AddressRange range)
    {
    }

    void IClassifierHost.Answer(in FlowQuestion question, in Verdict verdict) => _answers[question] = verdict;

    private async Task<Verdict> AskAsync(string destination, uint mark)
    {
        Requirements.Tool("ipset");
        using KernelNamespace network = new(track: false);
        network.Exec("ipset", "create", "app_1.v4", "hash:ip", "timeout", "600");
        network.Exec("ipset", "add", "app_1.v4", "203.0.113.7");
        network.Exec("ipset", "create", "app_1.v6", "hash:ip", "family", "inet6");
        network.Exec("ipset", "add", "app_1.v6", "2001:db8::7");
        network.Exec("ipset", "create", "app_2.v4", "hash:net");
        network.Exec("ipset", "add", "app_2.v4", "198.51.100.0/24");
        DirectoryInfo directory = Directory.CreateTempSubdirectory("cs-ipset-");
        try
        {
            string script = Path.Combine(directory.FullName, "classify-by-ipset.sh");
            File.Copy(Path.Combine(AppContext.BaseDirectory, "../../../../../samples/classify-by-ipset.sh"), script);
            File.SetUnixFileMode(script, (UnixFileMode)Convert.ToInt32("755", 8));
            ExternalOptions options =
                new() { Command = ["/bin/ip", "netns", "exec", network.Name, script], User = "root", Deadline = TimeSpan.FromSeconds(30) };
            await using ExternalClassifier classifier = new(options, ["wan", "lte"], TimeProvider.System, NullLogger.Instance);
            await classifier.StartAsync(this, TestContext.Current.CancellationToken);
            FlowQuestion question = new(Tuple(destination), mark, null);
            Eventually.True(() => classifier.Status.IsWorking, state: () => classifier.Status.Text);
            Assert.Equal(VerdictKind.Pending, classifier.Classify(question).Kind);
            Eventually.True(() => _answers.ContainsKey(question), TimeSpan.FromSeconds(30), () => classifier.Status.Text);
            return _answers[question];
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static FlowTuple Tuple(string destination)
    {
        IPAddress address = IPAddress.Parse(destination);
        return new FlowTuple
        {
            Family = destination.Contains(':', StringComparison.Ordinal) ? FlowFamily.IPv6 : FlowFamily.IPv4,
            Protocol = IpProtocol.Tcp,
            Source = new IpAddress(0, 0x0A000001),
            Destination = IpAddress.From(address),
            DestinationPort = 443,
        };
    }
}
