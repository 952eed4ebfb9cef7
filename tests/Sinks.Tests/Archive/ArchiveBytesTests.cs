using ConntrackStream.Sinks.Archive;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Sinks.Tests.Archive;

public sealed class ArchiveBytesTests : IDisposable
{
    private static readonly byte[] Content = LogLines.Bytes(Enumerable.Range(1, 2000).Select(static flow => LogLines.Start(flow, flow)));

    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void What_was_compressed_comes_back()
    {
        Assert.Equal(Content, Read(Content));
        Assert.Equal(Content, Read(LogLines.Gzip(Content)));
        Assert.Equal(Content, Read(LogLines.Zstandard(Content)));
    }

    [Fact]
    public void Several_members_of_gzip_are_one_content()
    {
        Assert.Equal([.. Content, .. Content[..500]], Read([.. LogLines.Gzip(Content), .. LogLines.Gzip(Content[..500])]));
        Assert.Equal([.. Content[..500], .. Content], Read([.. LogLines.Gzip(Content[..500]), .. LogLines.Gzip(Content)]));
    }

    [Fact]
    public void Gzip_that_is_cut_off_anywhere_is_damaged()
    {
        byte[] whole = LogLines.Gzip(Content);
        int[] cuts = [2, 9, 12, 17, whole.Length / 2, .. Enumerable.Range(1, 12).Select(bytes => whole.Length - bytes)];
        Assert.All(cuts, cut => Assert.Throws<ArchiveDamageException>(() => Read(whole[..cut])));
    }

    [Fact]
    public void A_second_member_that_is_cut_off_is_damage()
    {
        byte[] first = LogLines.Gzip(Content), second = LogLines.Gzip(Content[..5000]);
        int[] cuts = [12, second.Length / 2, second.Length - 8, second.Length - 4, second.Length - 1];
        Assert.All(cuts, cut => Assert.Throws<ArchiveDamageException>(() => Read([.. first, .. second[..cut]])));
        Assert.Throws<ArchiveDamageException>(() => Read([.. first, 0, 0, 0, 0, .. second]));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_flipped_bit_is_damage(bool isGzip)
    {
        byte[] bytes = isGzip ? LogLines.Gzip(Content) : LogLines.Zstandard(Content);
        bytes[bytes.Length / 2] ^= 0x10;
        Assert.Throws<ArchiveDamageException>(() => Read(bytes));
    }

    [Fact]
    public void Zstandard_that_is_cut_off_is_damaged()
    {
        byte[] whole = LogLines.Zstandard(Content);
        Assert.All([9, whole.Length / 2, whole.Length - 1], cut => Assert.Throws<ArchiveDamageException>(() => Read(whole[..cut])));
    }

    [Theory]
    [InlineData(true, 4096)]
    [InlineData(true, 1 << 20)]
    [InlineData(false, 4096)]
    [InlineData(false, 1 << 20)]
    public void Every_byte_before_a_wrong_checksum_is_handed_out(bool isGzip, int block)
    {
        byte[] file = isGzip ? LogLines.Gzip(Content) : LogLines.Zstandard(Content);
        file[^(isGzip ? 8 : 1)] ^= 1;
        File.WriteAllBytes(_path, file);
        using ArchiveFile opened = ArchiveFile.TryOpen(_path, followLinks: false, out _)!;
        using ArchiveBytes bytes = opened.Read();
        MemoryStream all = new();
        byte[] buffer = new byte[block];
        Assert.Throws<ArchiveDamageException>(() =>
        {
            for (int read; (read = bytes.Read(buffer)) > 0;)
                all.Write(buffer, 0, read);
        });
        Assert.Equal(Content, all.ToArray());
    }

    [Fact]
    public void A_file_that_becomes_shorter_is_damage()
    {
        File.WriteAllBytes(_path, Content);
        using SafeFileHandle file = File.OpenHandle(_path);
        using PlainBytes bytes = new(file, 0, Content.Length + 1);
        Assert.Throws<ArchiveDamageException>(() => ReadAll(bytes));
    }

    private byte[] Read(byte[] file)
    {
        File.WriteAllBytes(_path, file);
        using ArchiveFile opened = ArchiveFile.TryOpen(_path, followLinks: false, out _)!;
        using ArchiveBytes bytes = opened.Read();
        return ReadAll(bytes);
    }

    private static byte[] ReadAll(ArchiveBytes bytes)
    {
        MemoryStream all = new();
        byte[] buffer = new byte[4096];
        for (int read; (read = bytes.Read(buffer)) > 0;)
            all.Write(buffer, 0, read);
        return all.ToArray();
    }
}
