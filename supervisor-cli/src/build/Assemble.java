import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Enumeration;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.commons.JSRInlinerAdapter;

/**
 * Lays out the application folder: {@code bin/} with the launcher, {@code lib/} with every jar of the run-time class path, the native half of
 * jffi unpacked, and a thin {@code jsupervise.jar} that names them all. Run by the build as a single-file program, with the run-time class path
 * as its own.
 *
 * <p>Three things are done for the sake of start-up time, each measured. Classes older than class file version 50 (all of picocli, parts of jnr)
 * are raised to 52 with computed stack maps, because a class-data-sharing archive leaves such classes out: 35 ms. jffi's library lies ready for
 * {@code jffi.boot.library.path}, otherwise jffi unpacks it into /tmp at every start: 20 ms. All jars get one fixed modification time, so that
 * the archive, which records it, still fits after the same sources were built again.
 */
final class Assemble {
    private static final int RAISED = Opcodes.V1_8;
    private static final String NATIVE_PREFIX = "jni/";
    private static final List<String> NATIVE_PLATFORMS = List.of("x86_64-Linux", "aarch64-Linux");

    private final Path lib;
    private final FileTime time;

    private Assemble(Path lib, FileTime time) {
        this.lib = lib;
        this.time = time;
    }

    /** Arguments: the application folder, the folder with what is copied into it as it is, the jar of the command, the time for all files. */
    public static void main(String[] args) throws IOException {
        Path application = Path.of(args[0]);
        Path sources = Path.of(args[1]);
        Path commandJar = Path.of(args[2]);
        delete(application);
        Path lib = Files.createDirectories(application.resolve("lib"));
        Assemble assemble = new Assemble(lib, FileTime.from(Instant.parse(args[3])));
        assemble.jars(commandJar);
        assemble.copyTree(sources, application);
    }

    private void jars(Path commandJar) throws IOException {
        List<Path> jars = new ArrayList<>(List.of(commandJar));
        for (String entry : System.getProperty("java.class.path").split(":")) {
            if (entry.endsWith(".jar")) {
                jars.add(Path.of(entry));
            }
        }
        try (URLClassLoader all = new URLClassLoader(urls(jars), ClassLoader.getPlatformClassLoader())) {
            for (Path jar : jars) {
                Path copy = lib.resolve(jar.getFileName());
                if (hasOldClasses(jar)) {
                    raise(jar, copy, all);
                } else {
                    Files.copy(jar, copy);
                }
                Files.setLastModifiedTime(copy, time);
                unpackNatives(jar);
            }
        }
        writeThinJar(jars);
    }

    private static URL[] urls(List<Path> jars) throws IOException {
        URL[] urls = new URL[jars.size()];
        for (int i = 0; i < urls.length; i++) {
            urls[i] = jars.get(i).toUri().toURL();
        }
        return urls;
    }

    private static boolean hasOldClasses(Path jar) throws IOException {
        try (JarFile file = new JarFile(jar.toFile())) {
            for (Enumeration<JarEntry> entries = file.entries(); entries.hasMoreElements(); ) {
                JarEntry entry = entries.nextElement();
                if (entry.getName().endsWith(".class") && isOld(read(file, entry))) {
                    return true;
                }
            }
        }
        return false;
    }

    private static boolean isOld(byte[] classFile) {
        int version = (classFile[6] & 0xff) << 8 | (classFile[7] & 0xff);
        return version < Opcodes.V1_6;
    }

    private void raise(Path jar, Path copy, ClassLoader all) throws IOException {
        try (JarFile file = new JarFile(jar.toFile());
                JarOutputStream out = new JarOutputStream(Files.newOutputStream(copy))) {
            for (Enumeration<JarEntry> entries = file.entries(); entries.hasMoreElements(); ) {
                JarEntry entry = entries.nextElement();
                byte[] content = read(file, entry);
                if (entry.getName().endsWith(".class") && isOld(content)) {
                    content = raised(content, all);
                }
                put(out, entry.getName(), content);
            }
        }
    }

    private static byte[] raised(byte[] classFile, ClassLoader all) {
        ClassWriter writer = new ClassWriter(ClassWriter.COMPUTE_FRAMES) {
            @Override
            protected ClassLoader getClassLoader() {
                return all;
            }
        };
        ClassVisitor raiser = new ClassVisitor(Opcodes.ASM9, writer) {
            @Override
            public void visit(int version, int access, String name, String signature, String parent, String[] interfaces) {
                super.visit(RAISED, access, name, signature, parent, interfaces);
            }

            @Override
            public MethodVisitor visitMethod(int access, String name, String descriptor, String signature, String[] exceptions) {
                // Old compilers wrote "finally" as a subroutine (jsr), which class files with stack maps may not hold.
                MethodVisitor next = super.visitMethod(access, name, descriptor, signature, exceptions);
                return new JSRInlinerAdapter(next, access, name, descriptor, signature, exceptions);
            }
        };
        new ClassReader(classFile).accept(raiser, ClassReader.SKIP_FRAMES);
        return writer.toByteArray();
    }

    private void unpackNatives(Path jar) throws IOException {
        try (JarFile file = new JarFile(jar.toFile())) {
            for (String platform : NATIVE_PLATFORMS) {
                JarEntry entry = file.getJarEntry(NATIVE_PREFIX + platform + "/libjffi-1.2.so");
                if (entry != null) {
                    Path target = lib.resolve("native").resolve(platform).resolve("libjffi-1.2.so");
                    Files.createDirectories(target.getParent());
                    Files.write(target, read(file, entry));
                }
            }
        }
    }

    /** The manifest alone: {@code -jar} needs one jar, and only a main jar's manifest may enable native access (JDK 24 and later warn otherwise). */
    private void writeThinJar(List<Path> jars) throws IOException {
        StringBuilder classPath = new StringBuilder();
        for (Path jar : jars) {
            classPath.append(classPath.length() == 0 ? "" : " ").append(jar.getFileName());
        }
        Manifest manifest = new Manifest();
        Attributes attributes = manifest.getMainAttributes();
        attributes.put(Attributes.Name.MANIFEST_VERSION, "1.0");
        attributes.put(Attributes.Name.MAIN_CLASS, "io.jsupervise.cli.Main");
        attributes.put(Attributes.Name.CLASS_PATH, classPath.toString());
        attributes.put(new Attributes.Name("Enable-Native-Access"), "ALL-UNNAMED");
        Path thin = lib.resolve("jsupervise.jar");
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(thin))) {
            JarEntry entry = new JarEntry(JarFile.MANIFEST_NAME);
            entry.setLastModifiedTime(time);
            out.putNextEntry(entry);
            manifest.write(out);
            out.closeEntry();
        }
        Files.setLastModifiedTime(thin, time);
    }

    private void copyTree(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
                Path target = to.resolve(from.relativize(file).toString());
                Files.createDirectories(target.getParent());
                Files.copy(file, target, StandardCopyOption.REPLACE_EXISTING);
                Files.setPosixFilePermissions(target, PosixFilePermissions.fromString("rwxr-xr-x"));
            }
        }
    }

    private static byte[] read(JarFile file, JarEntry entry) throws IOException {
        try (InputStream in = file.getInputStream(entry)) {
            return in.readAllBytes();
        }
    }

    private void put(JarOutputStream out, String name, byte[] content) throws IOException {
        JarEntry entry = new JarEntry(name);
        entry.setLastModifiedTime(time);
        out.putNextEntry(entry);
        out.write(content);
        out.closeEntry();
    }

    private static void delete(Path tree) throws IOException {
        if (Files.notExists(tree)) {
            return;
        }
        try (Stream<Path> files = Files.walk(tree)) {
            files.sorted(Comparator.reverseOrder()).forEach(file -> {
                try {
                    Files.delete(file);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
    }
}
