namespace ConntrackStream.Service.Tests.Architecture;

/// <summary>.editorconfig's max_line_length, which no compiler enforces, for code, documents and settings.</summary>
public sealed class LineLengthTests
{
    private static readonly string[] Folders = ["src", "tests", "bench", "samples", "docs", "findings"];
    private static readonly string[] Unwritten = ["bin", "obj", "out", "results", "Recorded", "TestResults"];
    private static readonly string[] Extensions = [".cs", ".md"];

    [Fact]
    public void No_line_is_over_the_limit()
    {
        string[] files =
        [
            .. Directory.EnumerateFiles(Repository.Root).Concat(Folders.SelectMany(static folder => Below(Repository.PathOf(folder))))
                .Where(IsChecked)
                .Select(static file => Path.GetRelativePath(Repository.Root, file))
                .Order(StringComparer.Ordinal),
        ];
        Assert.Contains("appsettings.json", files, StringComparer.Ordinal);
        Assert.Contains("test", files, StringComparer.Ordinal);
        Assert.Contains("tests/Service.Tests/Architecture/LineLengthTests.cs", files, StringComparer.Ordinal);

        string[] found = [.. files.SelectMany(static file => LongLines.Of(file, File.ReadLines(Repository.PathOf(file))))];
        Assert.True(found.Length == 0, string.Join('\n', found));
    }

    [Fact]
    public void A_long_line_is_found_and_none_whose_breaks_have_a_meaning()
    {
        string fits = new('é', LongLines.Limit), over = fits + "x", three = new('"', 3), four = new('"', 4);
        Assert.Equal(["a.sh:2: 141 columns"], LongLines.Of("a.sh", [fits, over]), StringComparer.Ordinal);
        Assert.Equal(["a.sh:1: 142 columns"], LongLines.Of("a.sh", [$"|{over}"]), StringComparer.Ordinal);
        Assert.Empty(LongLines.Of("a.cs", [$"// {over} https://example.org"]));
        Assert.Equal(
            ["a.md:6: 141 columns"], LongLines.Of("a.md", [$"| {over} |", "```", over, "```", fits, over]), StringComparer.Ordinal);
        Assert.Equal(
            ["a.cs:5: 141 columns"],
            LongLines.Of("a.cs", [$"x = {three}", over, $"{three};", $"{three}{over}{three}", over]),
            StringComparer.Ordinal);
        Assert.Equal(
            ["a.cs:5: 141 columns"], LongLines.Of("a.cs", [$"x = {four}", three, over, $"{four};", over]), StringComparer.Ordinal);
    }

    private static IEnumerable<string> Below(string folder) =>
        Directory.EnumerateFiles(folder).Concat(
            Directory.EnumerateDirectories(folder)
                .Where(static below => !Unwritten.Contains(Path.GetFileName(below), StringComparer.Ordinal))
                .SelectMany(Below));

    private static bool IsChecked(string file) =>
        Extensions.Contains(Path.GetExtension(file), StringComparer.Ordinal)
        || Path.GetFileName(file) is "appsettings.json" or "test";
}
