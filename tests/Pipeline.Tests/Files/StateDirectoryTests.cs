using ConntrackStream.Pipeline.Files;

namespace ConntrackStream.Pipeline.Tests.Files;

public sealed class StateDirectoryTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"cs-state-{Guid.NewGuid():N}");

    public void Dispose()
    {
        if (Directory.Exists(_path))
            Directory.Delete(_path, recursive: true);
    }

    [Fact]
    public void Is_made_for_the_owner_alone_and_so_are_its_files()
    {
        StateDirectory state = StateDirectory.Open(_path);
        state.Write("x", "1"u8);
        state.Write("x", "23"u8);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(_path));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(state.PathOf("x")));
        Assert.Equal("23"u8.ToArray(), state.Read("x"));
        Assert.Single(Directory.GetFiles(_path));
    }

    [Fact]
    public void One_that_everybody_may_write_to_is_refused()
    {
        Directory.CreateDirectory(_path);
        File.SetUnixFileMode(_path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherWrite);
        IOException refused = Assert.ThrowsAny<IOException>(() => StateDirectory.Open(_path));
        Assert.Contains("can be written by everybody", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>A directory in its place stands for a disk that does not let it go.</summary>
    [Fact]
    public void What_is_of_no_more_use_may_stay_where_it_cannot_be_removed()
    {
        StateDirectory state = StateDirectory.Open(_path);
        Directory.CreateDirectory(state.PathOf("old"));
        Assert.ThrowsAny<Exception>(() => state.Delete("old"));
        state.TryDelete("old");
        state.Write("old2", "1"u8);
        state.TryDelete("old2");
        Assert.Null(state.Read("old2"));
    }

    [Fact]
    public async Task One_service_at_a_time_has_it()
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        using StateDirectory second = StateDirectory.Open(_path);
        using (StateDirectory first = StateDirectory.Open(_path))
        {
            await first.ClaimAsync(TimeProvider.System, cancellation);
            await first.ClaimAsync(TimeProvider.System, cancellation); // for another network namespace
            IOException refused = await Assert.ThrowsAsync<IOException>(() => second.ClaimAsync(TimeProvider.System, cancellation));
            Assert.Contains($"{_path} is used by another", refused.Message, StringComparison.Ordinal);
        }

        await second.ClaimAsync(TimeProvider.System, cancellation);
    }

    [Fact]
    public void A_file_that_others_may_write_to_is_not_trusted()
    {
        StateDirectory state = StateDirectory.Open(_path);
        state.Write("x", "1"u8);
        File.SetUnixFileMode(state.PathOf("x"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupWrite);
        Assert.Throws<IOException>(() => state.Read("x"));
        Assert.Null(state.Read("missing"));
    }
}
