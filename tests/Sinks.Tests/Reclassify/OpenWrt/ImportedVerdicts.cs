using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.OpenWrt;
using ConntrackStream.Sinks.Reclassify.Rules;
using ConntrackStream.Sinks.Tests.FlowLog;

namespace ConntrackStream.Sinks.Tests.Reclassify.OpenWrt;

/// <summary>What an imported configuration decides over a flow.</summary>
internal static class ImportedVerdicts
{
    /// <returns>The path, <c>keep</c>, or <c>none</c>.</returns>
    internal static string Of(
        this ImportedConfig config, string source, string destination, int port = 443, IpProtocol protocol = IpProtocol.Tcp)
    {
        FlowQuestion question = new(FlowLogTestData.Tuple(protocol, source, 40000, destination, port), 0, null);
        Verdict verdict = new RuleIndex(config.Rules).Classify(question);
        return verdict.Path ?? verdict.Kind.ToString().ToLowerInvariant();
    }
}
