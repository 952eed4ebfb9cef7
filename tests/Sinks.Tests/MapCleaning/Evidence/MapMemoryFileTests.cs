using ConntrackStream.Pipeline.Checkpoint;
using ConntrackStream.Pipeline.Files;
using ConntrackStream.Sinks.MapCleaning.Absence;
using ConntrackStream.Sinks.MapCleaning.Evidence;

namespace ConntrackStream.Sinks.Tests.MapCleaning.Evidence;

public sealed class MapMemoryFileTests : IDisposable
{
    private const int Unusable = 3018, Failed = 3019;

    private static readonly CheckpointIdentity Here = new(Guid.Parse("0f8fad5b-d9cb-469f-a165-70867728950e"), 17);
    private static readonly MapMemory Memory = new(99, new MatchedGroups(3, 5, [7]));

    private readonly string _path = Directory.CreateTempSubdirectory("cs-state-").FullName;
    private readonly RecordingLogger _logger = new();

    public void Dispose() => Directory.Delete(_path, recursive: true);

    [Fact]
    public async Task What_is_kept_is_there_for_the_next_run()
    {
        await KeepAsync();
        await using MapMemoryFile next = Open();
        Assert.Equal([7ul], next.Load()!.Groups.Hashes);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Name)); // it has the secret of the hashes
        Assert.Single(Directory.GetFiles(_path));
        Assert.Empty(_logger.Entries);
    }

    [Fact]
    public async Task A_first_run_has_nothing_to_go_by()
    {
        await using MapMemoryFile first = Open();
        Assert.Null(first.Load());
        Assert.Empty(_logger.Entries);
    }

    [Fact]
    public async Task A_damaged_file_is_not_used_and_replaced()
    {
        await KeepAsync();
        byte[] content = await File.ReadAllBytesAsync(Name, TestContext.Current.CancellationToken);
        content[^10] ^= 1;
        await File.WriteAllBytesAsync(Name, content, TestContext.Current.CancellationToken);
        await using (MapMemoryFile next = Open())
            Assert.Null(next.Load());
        Assert.Contains("damaged", Assert.Single(_logger.Take(), static entry => entry.Id == Unusable).Message, StringComparison.Ordinal);
        await KeepAsync();
        await using MapMemoryFile last = Open();
        Assert.NotNull(last.Load());
    }

    [Theory]
    [InlineData("link", "symbolic link")]
    [InlineData("directory", "is no regular file")]
    [InlineData("writable", "can be written by others")]
    [InlineData("long", "more than the")]
    public async Task What_is_not_ours_alone_is_not_read(string kind, string reason)
    {
        await KeepAsync();
        switch (kind)
        {
            case "link":
                File.Move(Name, Name + ".elsewhere");
                File.CreateSymbolicLink(Name, Name + ".elsewhere");
                break;
            case "directory":
                File.Delete(Name);
                Directory.CreateDirectory(Name);
                break;
            case "writable":
                File.SetUnixFileMode(Name, File.GetUnixFileMode(Name) | UnixFileMode.GroupWrite);
                break;
            default:
                using (FileStream file = File.OpenWrite(Name))
                    file.SetLength(MapMemoryFormat.MaxLength + 1L);
                break;
        }

        await using MapMemoryFile next = Open();
        Assert.Null(next.Load());
        Assert.Contains(reason, Assert.Single(_logger.Entries, static entry => entry.Id == Unusable).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_directory_that_cannot_be_written_to_is_reported_once()
    {
        await using (MapMemoryFile file = Open())
        {
            Directory.CreateDirectory(Name + ".tmp"); // where the new file is made
            for (int i = 0; i < 3; i++)
                file.Keep(Memory);
        }

        Assert.Single(_logger.Entries, static entry => entry.Id == Failed);
    }

    private string Name => Path.Combine(_path, "netns-17-map-memory");

    private MapMemoryFile Open() => new(StateDirectory.Open(_path), Here, _logger);

    private async Task KeepAsync()
    {
        await using MapMemoryFile file = Open();
        file.Keep(Memory with { MapId = 1 });
        file.Keep(Memory);
    }
}
