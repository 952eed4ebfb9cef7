using System.Globalization;
using System.Text;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Files;
using ConntrackStream.Sinks.Archive;
using ConntrackStream.Sinks.Archive.Index;
using ConntrackStream.Sinks.Archive.Who;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Tests;
using CsCheck;
using Microsoft.Extensions.Logging.Abstractions;
using static ConntrackStream.Sinks.Tests.Archive.LogLines;

namespace ConntrackStream.Sinks.Tests.Archive;

/// <summary>Reading everything is the oracle: with an index, whatever state it is in, the answer is the same.</summary>
public sealed class IndexTests : IDisposable
{
    private const string Rotated = "flows.ndjson.20260203T040506789Z";

    private readonly string _directory = Directory.CreateTempSubdirectory("cs-index-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void With_and_without_indexes_the_answer_is_the_same_over_random_logs() => Gen.Int.Check(40, static seed =>
    {
        using IndexTests test = new();
        Random random = new(seed);
        test.WriteLog(RandomLog.Of(random), random);
        test.MakeIndexes(segmentLength: 4_000);
        foreach (string index in Directory.GetFiles(test._directory, "*.idx").Where(_ => random.Next(6) == 0))
            File.Delete(index); // some files are read through
        for (int i = 0; i < 12; i++)
            test.AssertSame(RandomLog.Question(random));
    });

    [Fact]
    public void An_index_that_lacks_an_address_changes_the_answer()
    {
        string[] lines = [.. Enumerable.Range(10, 200).SelectMany(static flow => (string[])[Start(flow, flow), End(flow, flow, flow + 5)])];
        Write(Rotated, Bytes(lines));
        Write("flows.ndjson", Bytes(Start(1, 1000)));
        DateTime modified = File.GetLastWriteTimeUtc(At(Rotated));
        MakeIndexes();
        AssertSame(Question(Ip(10, 0, 0, 77), 77));
        Write(Rotated, Bytes(lines.Select(static line => line.Replace("\"10.0.0.77\"", "\"10.0.9.77\"", StringComparison.Ordinal))));
        File.SetLastWriteTimeUtc(At(Rotated), modified);
        MakeIndexes();
        Write(Rotated, Bytes(lines));
        File.SetLastWriteTimeUtc(At(Rotated), modified);
        Assert.Throws<Xunit.Sdk.EqualException>(() => AssertSame(Question(Ip(10, 0, 0, 77), 77)));
    }

    [Fact]
    public void A_damaged_index_is_left_aside_and_made_again()
    {
        string[] lines = [.. Enumerable.Range(10, 60).SelectMany(static flow => (string[])[Start(flow, 90), End(flow, 90, 100 + flow)])];
        Write(Rotated + ".gz", Gzip(Bytes(lines)));
        Write("flows.ndjson", Bytes(Start(1, 1000)));
        MakeIndexes();
        byte[] whole = File.ReadAllBytes(At($".{Rotated}.gz.idx"));
        WhoQuestion question = Question(Ip(203, 0, 113, 50), 100); // every flow has it, so every byte about flows matters
        string expected = Answer(question, withIndexes: false);
        Random random = new(1);
        foreach (int at in (int[])[0, 8, 20, .. Enumerable.Range(0, 100).Select(_ => 4096 + random.Next(600)), whole.Length - 1])
        {
            byte[] damaged = [.. whole];
            damaged[at] ^= (byte)(1 << random.Next(8));
            Write($".{Rotated}.gz.idx", damaged);
            Assert.Equal(expected, Answer(question, withIndexes: true));
        }

        foreach (int length in (int[])[0, 100, 4096, whole.Length - 1])
        {
            Write($".{Rotated}.gz.idx", whole[..length]);
            Assert.Equal(expected, Answer(question, withIndexes: true));
            MakeIndexes();
            Assert.Equal(whole, File.ReadAllBytes(At($".{Rotated}.gz.idx")));
        }
    }

    [Fact]
    public void An_index_of_an_earlier_file_and_one_that_others_may_have_written_are_not_used()
    {
        byte[] content = Bytes(Enumerable.Range(10, 60).Select(static flow => Start(flow, 90)));
        Write(Rotated, content);
        MakeIndexes();
        Assert.Equal(1, Used());
        File.SetLastWriteTimeUtc(At(Rotated), DateTime.UtcNow.AddHours(-1));
        Assert.Equal(0, Used());
        MakeIndexes();
        Assert.Equal(1, Used());
        Write(Rotated, [.. content, .. Bytes(Start(99, 95))]);
        Assert.Equal(0, Used());
        MakeIndexes();

        string index = At($".{Rotated}.idx");
        File.SetUnixFileMode(index, File.GetUnixFileMode(index) | UnixFileMode.OtherWrite);
        Assert.Equal(0, Used());
        File.SetUnixFileMode(index, UnixFileMode.UserRead);
        Assert.Equal(1, Used());
        File.Move(index, At("elsewhere"));
        File.CreateSymbolicLink(index, At("elsewhere"));
        Assert.Equal(0, Used());
        MakeIndexes(); // in place of the link
        Assert.Null(new FileInfo(index).LinkTarget);
        Assert.Equal(1, Used());
    }

    [Fact]
    public void The_index_is_a_few_percent_of_the_content()
    {
        string[] lines =
        [
            .. Enumerable.Range(1, 6_000).SelectMany(
                static flow => (string[])[Start(flow, flow / 100.0), End(flow, flow / 100.0, 300 + (flow / 100.0))]),
        ];
        byte[] content = Bytes(lines);
        Write(Rotated, content);
        MakeIndexes();
        Assert.InRange(new FileInfo(At($".{Rotated}.idx")).Length, 1, content.Length * 0.05);
        WhoQuestion question = Question(Ip(203, 0, 113, 50), 330, port: 32768 + 4242);
        Assert.InRange(Search(question, withIndexes: true).Bytes, 1, 20_000); // the address is in every record, the port in two
        AssertSame(question);
    }

    [Fact]
    public async Task A_rotated_file_gets_its_index_and_both_go_together()
    {
        RotationOptions options = new() { Compress = true, Keep = 2 };
        byte[] content = Bytes(Enumerable.Range(10, 400).Select(static flow => Start(flow, 90)));
        RotatedFiles files = new(At("flows.ndjson"));
        await using RotatedFileKeeper keeper = new(files, options, NullLogger.Instance, new IndexMaker(leastLength: 0));
        for (int day = 1; day <= 4; day++)
        {
            string name = string.Create(CultureInfo.InvariantCulture, $"flows.ndjson.2026020{day}T000000000Z");
            Write(name, content);
            Write($".{name}.idx", [1]); // of the file before it was compressed
            keeper.Wake();
            await Eventually.TrueAsync(() => File.Exists(At($".{name}.gz.idx")), waitedFor: $".{name}.gz.idx");
        }

        Write(".flows.ndjson.20260204T000000000Z.gz.idx.1.tmp", [1]); // half an index, of a process that was killed
        keeper.Wake();
        await Eventually.TrueAsync(() => Directory.GetFiles(_directory).Length == 4, waitedFor: "two files, two indexes");
        Assert.Equal(
            ["flows.ndjson.20260203T000000000Z.gz", "flows.ndjson.20260204T000000000Z.gz"],
            [.. Directory.GetFiles(_directory, "*.gz").Select(static file => Path.GetFileName(file)).Order(StringComparer.Ordinal)]);
        using ArchiveSet archive = ArchiveSet.Open([_directory], ArchiveIndex.TryOpen);
        Assert.All(archive.Members, static member => Assert.NotNull(member.Index));
    }

    [Fact]
    public void Formats_without_ids_and_damaged_files_have_none()
    {
        Write(Rotated, Encoding.UTF8.GetBytes("[1790000000.000001]\t[DESTROY] udp      17 src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2 "
            + "src=10.0.0.2 dst=10.0.0.1 sport=2 dport=1\n"));
        byte[] gzip = Gzip(Bytes(Enumerable.Range(10, 60).Select(static flow => Start(flow, 90))));
        Write("other.ndjson.1.gz", gzip[..^9]);
        MakeIndexes();
        Assert.Empty(Directory.GetFiles(_directory, "*idx*"));
    }

    private static IpAddress Ip(byte a, byte b, byte c, byte d) => IpAddress.FromIPv4([a, b, c, d]);

    private static WhoQuestion Question(IpAddress address, double second, int? port = null) => new(
        FlowFamily.IPv4, address, (ushort?)port, LogLines.At(second - 30), LogLines.At(second + 30), Reach: null, FlowFilter.All);

    private string At(string name) => Path.Join(_directory, name);

    private void Write(string name, byte[] content) => File.WriteAllBytes(At(name), content);

    /// <summary>Into several files, of every kind.</summary>
    private void WriteLog(List<string> lines, Random random)
    {
        int files = 1 + random.Next(5);
        for (int i = 0; i < files; i++)
        {
            byte[] content = Bytes(lines[(lines.Count * i / files)..(lines.Count * (i + 1) / files)]);
            string stamp = string.Create(CultureInfo.InvariantCulture, $".2026020{i}T000000000Z");
            string name = $"flows.ndjson{(i == files - 1 ? "" : stamp)}";
            if (i == files - 1 || random.Next(3) == 0)
                Write(name, content);
            else if (random.Next(2) == 0)
                Write($"{name}.gz", Gzip(content));
            else
                Write($"{name}.zst", Zstandard(content));
        }
    }

    private void MakeIndexes(int segmentLength = IndexBuilder.SegmentLength)
    {
        using ArchiveSet archive = ArchiveSet.Open([_directory], ArchiveIndex.TryOpen);
        using OwnedDirectory directory = OwnedDirectory.Open(_directory);
        IndexBuilder builder = new(segmentLength);
        foreach (ArchiveFile file in new IndexMaker(leastLength: 0).Missing(archive))
            IndexFile.TryWrite(directory, file, FileHead.Read(file), builder, TestContext.Current.CancellationToken);
    }

    private void AssertSame(WhoQuestion question) =>
        Assert.Equal(Answer(question, withIndexes: false), Answer(question, withIndexes: true));

    private int Used()
    {
        using ArchiveSet archive = ArchiveSet.Open([_directory], ArchiveIndex.TryOpen);
        WhoQuestion question = Question(Ip(10, 0, 0, 20), 100);
        WhoSearch search = new(question, 1);
        search.Run(archive, WhoUnit.Of(archive, question), TestContext.Current.CancellationToken);
        Assert.Equal(Answer(question, withIndexes: false), Answer(question, withIndexes: true));
        return search.Indexed;
    }

    private WhoAnswer Search(WhoQuestion question, bool withIndexes)
    {
        using ArchiveSet archive = ArchiveSet.Open([_directory], withIndexes ? ArchiveIndex.TryOpen : null);
        return new WhoSearch(question, 2).Run(archive, WhoUnit.Of(archive, question), TestContext.Current.CancellationToken);
    }

    /// <summary>All of it but the bytes that were read.</summary>
    private string Answer(WhoQuestion question, bool withIndexes)
    {
        WhoAnswer answer = Search(question, withIndexes);
        StringBuilder text = new();
        foreach (FlowLife life in answer.Flows)
        {
            text.Append(CultureInfo.InvariantCulture, $"{life.Key} {life.Start} {life.End} ");
            text.AppendLine(CultureInfo.InvariantCulture, $"{life.Flow.OriginalBytes} {life.Flow.Original.SourcePort}");
        }


        foreach (Missing missing in answer.Missing.OrderBy(static missing => missing.ToString(), StringComparer.Ordinal))
            text.AppendLine(missing.ToString());
        text.AppendJoin('\n', answer.Notes).AppendLine().Append(answer.Files);
        return text.ToString();
    }
}
