using System.Text.Json;
using ConntrackStream.Sinks.Reclassify;
using ConntrackStream.Sinks.Reclassify.Act;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Decide;
using ConntrackStream.Sinks.Reclassify.External;
using ConntrackStream.Sinks.Reclassify.Figures;

namespace ConntrackStream.Sinks.Tests.Reclassify;

/// <summary>Reclassification in <c>/v1/status</c>.</summary>
public sealed class ReclassifyFiguresTests
{
    [Fact]
    public void Every_figure_has_its_name()
    {
        ReclassifyCounters counters = new()
        {
            Looks = 1,
            Questions = 2,
            Misplaced = 3,
            Deleted = 4,
            Resets = 5,
            Remarked = 6,
            Sweeps = 7,
            UnknownPaths = 8,
        };
        counters.Add(Refusal.TcpLoose);
        counters.Add(ActionOutcome.Moved);
        ExternalCounters external = new()
        {
            Asked = 21,
            Answered = 22,
            Unanswered = 23,
            Late = 24,
            Refused = 25,
            Flooded = 27,
            Hangs = 28,
            Restarts = 29,
        };
        external.CountMalformed(LineFault.Version);
        JsonElement json = Serialise(new ReclassifyStatus(
            ReclassifyMode.Act, counters, Rechecks: 11, RechecksRefused: 12, Pending: 13, Armed: 14, Awaited: 15, Guarded: 16,
            [new ClassifierStatus("sets", IsWorking: false, "waiting")], external));

        Assert.Equal(
            "mode act, looks 1, questions 2, misplaced 3, deleted 4, resets 5, remarked 6, refused, outcomes, rechecks 11, "
            + "rechecks_refused 12, pending 13, armed 14, awaited 15, guarded 16, sweeps 7, unknown_paths 8, classifiers, external",
            Figures(json));
        Assert.Equal(
            "answered 22, asked 21, flooded 27, hangs 28, late 24, malformed 1, refused 25, restarts 29, unanswered 23",
            string.Join(", ", Figures(json.GetProperty("external")).Split(", ").Order(StringComparer.Ordinal)));
        Assert.Equal("tcp_loose", Assert.Single(NotZero(json.GetProperty("refused"))));
        Assert.Equal("moved", Assert.Single(NotZero(json.GetProperty("outcomes"))));
        Assert.Equal(Enum.GetValues<Refusal>().Length - 1, json.GetProperty("refused").EnumerateObject().Count()); // all but None
        Assert.Equal(Enum.GetValues<ActionOutcome>().Length, json.GetProperty("outcomes").EnumerateObject().Count());
        Assert.Equal("""[{"name":"sets","is_working":false,"text":"waiting"}]""", json.GetProperty("classifiers").GetRawText());
    }

    [Fact]
    public void A_dry_run_without_an_external_program_says_so()
    {
        JsonElement json = Serialise(
            new ReclassifyStatus(ReclassifyMode.DryRun, new ReclassifyCounters(), 0, 0, 0, 0, 0, 0, [], External: null));
        Assert.Equal("dry_run", json.GetProperty("mode").GetString());
        Assert.Equal(JsonValueKind.Null, json.GetProperty("external").ValueKind);
    }

    private static JsonElement Serialise(ReclassifyStatus status) =>
        JsonSerializer.SerializeToElement(ReclassifyFigures.Of(status), ReclassifyFiguresJson.Default.ReclassifyFigures);

    private static string Figures(JsonElement json) => string.Join(
        ", ",
        json.EnumerateObject().Select(static figure =>
            figure.Value.ValueKind is JsonValueKind.Object or JsonValueKind.Array ? figure.Name : $"{figure.Name} {figure.Value}"));

    private static IEnumerable<string> NotZero(JsonElement json) =>
        json.EnumerateObject().Where(static figure => figure.Value.GetInt64() != 0).Select(static figure => figure.Name);
}
