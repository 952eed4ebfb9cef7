using System.Buffers.Binary;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Runtime.InteropServices;

namespace ConntrackStream.Service.Tests.Plugins;

/// <summary>Copies of assemblies in a directory of root's, as they are or spoilt.</summary>
internal sealed class PluginFiles : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("cs-plugins-");

    /// <summary>A sample's assembly with its <c>.deps.json</c>.</summary>
    internal string Sample(string project, string name)
    {
        string output = Path.Combine(
            AppContext.BaseDirectory,
            "../../../../../samples",
            project,
            "bin",
            new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name,
            "net10.0");
        Copy(Path.Combine(output, $"{name}.deps.json"));
        return Copy(Path.Combine(output, $"{name}.dll"));
    }

    /// <summary>A plug-in of src with the libraries that it needs here, native ones too.</summary>
    internal string Project(string project, string name)
    {
        string output = Path.Combine(
            AppContext.BaseDirectory, "../../../../../src", project, "bin", new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name,
            "net10.0");
        bool isArm = RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.Arm64;
        string native = Path.Combine("runtimes", isArm ? "linux-arm64" : "linux-x64", "native");
        Directory.CreateDirectory(InDirectory(native));
        foreach (string file in Directory.GetFiles(Path.Combine(output, native)))
            File.Move(Copy(file), Path.Combine(InDirectory(native), Path.GetFileName(file)));
        foreach (string file in Directory.GetFiles(output, "*.dll").Append(Path.Combine(output, $"{name}.deps.json")))
            Copy(file);
        return InDirectory($"{name}.dll");
    }

    internal string Copy(string file)
    {
        string copy = InDirectory(Path.GetFileName(file));
        File.Copy(file, copy);
        File.SetUnixFileMode(copy, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        return copy;
    }

    internal string InDirectory(string name) => Path.Combine(_directory.FullName, name);

    /// <summary>Makes the assembly ask for major version 99 of what it references.</summary>
    internal static void AskForNewer(string file, string reference)
    {
        byte[] image = File.ReadAllBytes(file);
        using PEReader reader = new(new MemoryStream(image));
        MetadataReader metadata = reader.GetMetadataReader();
        int row = metadata.AssemblyReferences.Select((handle, index) => (handle, index))
            .Single(pair => metadata.StringComparer.Equals(metadata.GetAssemblyReference(pair.handle).Name, reference)).index;
        int at = reader.PEHeaders.MetadataStartOffset + metadata.GetTableMetadataOffset(TableIndex.AssemblyRef)
            + (row * metadata.GetTableRowSize(TableIndex.AssemblyRef));
        BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(at), 99); // ECMA-335 II.22.5: MajorVersion is the row's first field
        File.WriteAllBytes(file, image);
    }

    /// <summary>Makes the assembly ask for another name of the same length.</summary>
    internal static void Rename(string file, string from, string to)
    {
        byte[] image = File.ReadAllBytes(file);
        int at = image.AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes($"\0{from}\0"));
        System.Text.Encoding.UTF8.GetBytes(to).CopyTo(image.AsSpan(at + 1));
        File.WriteAllBytes(file, image);
    }

    public void Dispose() => _directory.Delete(recursive: true);
}
