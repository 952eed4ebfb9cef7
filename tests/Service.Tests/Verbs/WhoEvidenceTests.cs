using System.Security.Cryptography;
using System.Text.Json;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Verbs.Who;
using ConntrackStream.Sinks.Archive;
using ConntrackStream.Sinks.Archive.Who;
using static ConntrackStream.Sinks.Tests.Archive.LogLines;

namespace ConntrackStream.Service.Tests.Verbs;

/// <summary>Evidence of files that change between the search and its second reading.</summary>
public sealed class WhoEvidenceTests : IDisposable
{
    private const string Live = "flows.ndjson", Rotated = "flows.ndjson.20260203T040506789Z";

    private readonly string _directory = Directory.CreateTempSubdirectory("cs-evidence-").FullName;
    private readonly WhoQuestion _question = new(
        FlowFamily.IPv4, IpAddress.FromIPv4([10, 0, 0, 5]), Port: null, At(70), At(130), Reach: null, FlowFilter.All);

    private string Evidence => Path.Join(_directory, "evidence");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData(Rotated, "other", "flows.ndjson.20260203T040506789Z has changed since it was searched")]
    [InlineData(Rotated, "shorter", "flows.ndjson.20260203T040506789Z has become shorter while it was read")]
    [InlineData(Live, "shorter", "flows.ndjson has become shorter while it was read")]
    [InlineData(Live, "another", "a file has changed since it was searched")]
    public void A_file_that_has_changed_since_the_search_is_no_evidence(string name, string change, string problem)
    {
        string path = Path.Join(_directory, name);
        File.WriteAllBytes(path, Bytes(Start(1, 0), Start(5, 90), End(5, 90, 110), Start(2, 1000)));
        File.SetLastWriteTimeUtc(path, DateTime.UnixEpoch);
        IOException refused = Assert.Throws<IOException>(() => Write(() => File.WriteAllBytes(path, change switch
        {
            "other" => Bytes(Start(1, 0), Start(5, 90), End(5, 90, 110), Start(3, 1000)), // of the same length
            "another" => Bytes(Start(1, 0), Start(6, 90), End(6, 90, 110), Start(2, 1000), Start(7, 1001)), // as copytruncate leaves it
            _ => Bytes(Start(1, 0)),
        })));
        Assert.Contains(problem, refused.Message, StringComparison.Ordinal);
        Assert.False(Path.Exists(Evidence));
    }

    [Fact]
    public void A_live_log_may_grow_and_its_hash_is_of_what_was_searched()
    {
        byte[] searched = Bytes(
            Start(1, 0), Start(255, 10), End(255, 10, 20), Start(5, 90), End(5, 90, 110), Start(2, 1000)); // 255 has the address, too
        string path = Path.Join(_directory, Live);
        File.WriteAllBytes(path, searched);
        string hash = Write(() => File.AppendAllText(path, Start(5, 1001) + "\n"));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Evidence))), hash);
        JsonElement[] lines = [.. File.ReadLines(Evidence).Select(static line => JsonDocument.Parse(line).RootElement)];
        JsonElement file = lines.Single(static line => line.GetProperty("type").GetString() == "file");
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(searched)), file.GetProperty("sha256").GetString());
        Assert.Equal(searched.Length, file.GetProperty("bytes").GetInt32());
        Assert.Equal([Start(5, 90), End(5, 90, 110)], Records(lines), StringComparer.Ordinal);
    }

    [Fact]
    public void The_question_says_when_where_and_by_which_version_it_was_asked()
    {
        File.WriteAllBytes(Path.Join(_directory, Live), Bytes(Start(1, 0), Start(5, 90), Start(2, 1000)));
        Write(static () => { });
        JsonElement question = JsonDocument.Parse(File.ReadLines(Evidence).First()).RootElement;
        Assert.Equal(ProductVersion.Number, question.GetProperty("version").GetString());
        Assert.Equal(Environment.MachineName, question.GetProperty("host").GetString());
        Assert.Equal(
            ("2026-11-29T16:00:00.000000Z", Time(70), Time(130)),
            (question.GetProperty("time").GetString(), question.GetProperty("from").GetString(), question.GetProperty("to").GetString()));
    }

    [Fact]
    public void Lines_of_a_text_log_are_records_too()
    {
        const string There = "src=10.0.0.5 dst=198.51.100.7 sport=40005 dport=443 ";
        const string Back = "src=198.51.100.7 dst=203.0.113.50 sport=443 dport=32773 ";
        const string Other = "src=10.0.0.9 dst=10.0.0.8 sport=1 dport=2 src=10.0.0.8 dst=10.0.0.9 sport=2 dport=1 ";
        string[] lines =
        [
            $"[1790000000.000000]\t[DESTROY] udp      17 {Other}id=9",
            $"[1790000090.000000]\t    [NEW] tcp      6 120 SYN_SENT {There}[UNREPLIED] {Back}id=5",
            $"[1790000110.000000]\t[DESTROY] tcp      6 {There}{Back}[ASSURED] id=5",
        ];
        File.WriteAllLines(Path.Join(_directory, "flows.log"), lines);
        Write(static () => { });
        IEnumerable<JsonElement> evidence = File.ReadLines(Evidence).Select(static line => JsonDocument.Parse(line).RootElement);
        Assert.Equal(lines[1..], Records(evidence), StringComparer.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_is_at_its_path_is_neither_written_over_nor_followed(bool isLink)
    {
        string elsewhere = Path.Join(_directory, "elsewhere");
        if (isLink)
            File.CreateSymbolicLink(Evidence, elsewhere);
        else
            File.WriteAllText(Evidence, "precious");
        IOException refused = Assert.Throws<IOException>(() => WhoEvidence.Create(Evidence));
        Assert.Contains("is there already, and is left as it is", refused.Message, StringComparison.Ordinal);
        Assert.Throws<IOException>(() => WhoEvidence.Create("-"));
        Assert.False(File.Exists(elsewhere));
        Assert.True(isLink || File.ReadAllText(Evidence) == "precious");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Evidence_that_goes_while_it_is_written_is_none_and_what_is_in_its_place_stays(bool isReplaced)
    {
        File.WriteAllBytes(Path.Join(_directory, Live), Bytes(Start(1, 0), Start(5, 90), Start(2, 1000)));
        IOException refused = Assert.Throws<IOException>(() => Write(static () => { }, path =>
        {
            WhoEvidence evidence = WhoEvidence.Create(path);
            File.Delete(path);
            if (isReplaced)
                File.WriteAllText(path, "precious");
            return evidence;
        }));
        Assert.Contains("was removed or replaced while it was written", refused.Message, StringComparison.Ordinal);
        Assert.Equal(isReplaced, File.Exists(Evidence));
    }

    [Theory]
    [InlineData(0)] // the first block has no room
    [InlineData(1)] // nor has what is left in the buffer
    public void Without_room_no_torn_evidence_is_left(int writes)
    {
        File.WriteAllBytes(Path.Join(_directory, Live), Bytes(Start(1, 0), Start(5, 90), Start(2, 1000)));
        Assert.Throws<IOException>(() => Write(static () => { }, path => new WhoEvidence(new FullDisk(path, writes))));
        Assert.False(Path.Exists(Evidence));
    }

    [Fact]
    public void A_directory_is_no_evidence_and_is_not_made()
    {
        string missing = Path.Join(_directory, "missing/");
        IOException there = Assert.Throws<IOException>(() => WhoEvidence.Create(_directory));
        Assert.Contains("is a directory", there.Message, StringComparison.Ordinal);
        foreach (string path in (string[])[missing, missing + "evidence"])
        {
            IOException refused = Assert.ThrowsAny<IOException>(() => WhoEvidence.Create(path));
            Assert.Contains("there is no directory", refused.Message, StringComparison.Ordinal);
        }

        Assert.False(Path.Exists(missing));
    }

    private static IEnumerable<string> Records(IEnumerable<JsonElement> lines) => lines
        .Where(static line => line.GetProperty("type").GetString() == "record")
        .Select(static line => line.GetProperty("line").GetString()!);

    /// <summary>Searches all logs, and writes the evidence after something has happened to them.</summary>
    private string Write(Action happen, Func<string, WhoEvidence>? create = null)
    {
        using ArchiveSet archive = ArchiveSet.Open([_directory]);
        List<WhoUnit> units = WhoUnit.Of(archive, _question);
        WhoAnswer answer = new WhoSearch(_question, processors: 1).Run(archive, units, TestContext.Current.CancellationToken);
        Assert.Single(answer.Flows);
        happen();
        using WhoEvidence evidence = (create ?? WhoEvidence.Create)(Evidence);
        CliContext context = new() { Output = Stream.Null, Error = TextWriter.Null, Time = new Moment() };
        return evidence.Write(answer, _question, units, context, TestContext.Current.CancellationToken);
    }

    /// <summary>After so many writes there is no room, neither for others nor for what is left at the end.</summary>
    private sealed class FullDisk(string path, int writes) : FileStream(path, WhoEvidence.NewFile())
    {
        private int _left = writes;

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (_left-- <= 0)
                throw NoRoom();
            base.Write(buffer);
        }

        protected override void Dispose(bool disposing)
        {
            base.Dispose(disposing);
            if (disposing)
                throw NoRoom();
        }

        private static IOException NoRoom() => new("No space left on device");
    }

    private sealed class Moment : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => new(2026, 11, 29, 16, 0, 0, TimeSpan.Zero);
    }
}
